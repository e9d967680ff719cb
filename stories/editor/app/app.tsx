import { type CSSProperties, useEffect } from 'react'
import { CollaborationProvider } from '../collaboration/context.ts'
import { Announcer } from './announcer.tsx'
import type { Editor } from './editor.ts'
import { HistoryPanel } from './history-panel.tsx'
import { Icon } from './icons.tsx'
import { LayerTree } from './layer-tree.tsx'
import { MapPanel } from './map-panel.tsx'
import { PanelSeparator } from './panel-layout-controls.tsx'
import { PropertyPanels } from './property-panels.tsx'
import { QuestionDialog } from './question-dialog.tsx'
import { listenToShortcuts } from './shortcuts.ts'
import { TablePanel } from './table-panel.tsx'
import { TopBar } from './top-bar.tsx'
import { useSubject } from './use-subject.ts'

export function App({ editor }: { readonly editor: Editor }) {
  useEffect(() => listenToShortcuts(editor), [editor])
  return (
    <CollaborationProvider value={editor.collaboration}>
      <div className="app" data-read-only={editor.readOnly} data-testid="editor">
        <TopBar editor={editor} />
        <Panels editor={editor} />
        <QuestionDialog editor={editor} />
        <Announcer editor={editor} />
      </div>
    </CollaborationProvider>
  )
}

/** The map, and around it the panels that are open. */
function Panels({ editor }: { readonly editor: Editor }) {
  const { layout } = editor
  const { layers, history, table, properties } = useSubject(layout.states$)
  const sizes: CSSProperties & Record<`--${string}`, string> = {
    '--left': layers.open || history.open ? `${layers.size}px` : '0px',
    '--right': properties.open ? `${properties.size}px` : '0px',
    '--history': history.open ? (layers.open ? `${history.size}px` : '1fr') : '0px',
    '--table': table.open ? `${table.size}px` : '0px',
  }
  return (
    <div className="panels" style={sizes}>
      {(layers.open || history.open) && (
        <nav className="left" aria-label="Layers and history">
          {layers.open && <LayerTree editor={editor} />}
          {layers.open && history.open && <PanelSeparator layout={layout} panel="history" />}
          {history.open && <HistoryPanel editor={editor} />}
          <PanelSeparator layout={layout} panel="layers" />
        </nav>
      )}
      <main className="middle">
        <MapPanel editor={editor} />
        {table.open && <PanelSeparator layout={layout} panel="table" />}
        {table.open && <TablePanel editor={editor} />}
        <NoticeBar editor={editor} />
      </main>
      {properties.open && (
        <aside className="right" aria-label="Properties">
          <PanelSeparator layout={layout} panel="properties" />
          <PropertyPanels editor={editor} />
        </aside>
      )}
    </div>
  )
}

const noticeIcons = { info: 'check', busy: 'history', error: 'warning' } as const

function NoticeBar({ editor }: { readonly editor: Editor }) {
  const notice = useSubject(editor.notice$)
  useEffect(() => {
    if (notice?.kind !== 'info') return undefined
    const timer = setTimeout(() => editor.notify(undefined), 4_000)
    return () => clearTimeout(timer)
  }, [editor, notice])
  if (!notice) return null
  return (
    <div className="notice" data-kind={notice.kind} role="alert" data-testid="notice">
      <Icon name={noticeIcons[notice.kind]} />
      <span>{notice.message}</span>
      <button type="button" className="icon-button" aria-label="Close" onClick={() => editor.notify(undefined)}>
        <Icon name="close" />
      </button>
    </div>
  )
}
