import { useEffect } from 'react'
import { CollaborationProvider } from '../collaboration/context.ts'
import type { Editor } from './editor.ts'
import { HistoryPanel } from './history-panel.tsx'
import { Icon } from './icons.tsx'
import { LayerTree } from './layer-tree.tsx'
import { MapPanel } from './map-panel.tsx'
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
        <nav className="left">
          <LayerTree editor={editor} />
          <HistoryPanel editor={editor} />
        </nav>
        <main className="middle">
          <MapPanel editor={editor} />
          <TablePanel editor={editor} />
        </main>
        <PropertyPanels editor={editor} />
        <NoticeBar editor={editor} />
        <QuestionDialog editor={editor} />
      </div>
    </CollaborationProvider>
  )
}

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
      <Icon name={notice.kind === 'error' ? 'warning' : 'check'} />
      <span>{notice.message}</span>
      <button type="button" className="icon-button" aria-label="Close" onClick={() => editor.notify(undefined)}>
        <Icon name="close" />
      </button>
    </div>
  )
}
