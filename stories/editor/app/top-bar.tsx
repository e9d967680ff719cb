import { useEffect, useRef, useState } from 'react'
import { flushSync } from 'react-dom'
import type { HistoryStep } from 'rowcast'
import { ConflictList } from '../collaboration/conflict-list.tsx'
import { PeopleBar } from '../collaboration/people-bar.tsx'
import { useStore, useValue, useHistory } from './editor-store.ts'
import type { Editor } from './editor.ts'
import { Icon } from './icons.tsx'
import { PanelToggles } from './panel-layout-controls.tsx'
import { lowered } from './step-label.ts'
import { useDraftLabel } from './use-draft-label.ts'
import { useDraftState } from './use-draft-state.ts'

export function TopBar({ editor }: { readonly editor: Editor }) {
  const title = useValue('scene', (scene) => scene.title) ?? ''
  const { undo, redo, canUndo, canRedo, steps } = useHistory()
  const { isDirty } = useDraftState(editor)
  const file = useRef<HTMLInputElement>(null)
  // By it windows of several projects are told apart.
  useEffect(() => {
    document.title = title === '' ? 'Annotation editor' : `${title} – Annotation editor`
  }, [title])
  const titleOf = (what: string, step: HistoryStep | undefined, keys: string): string => {
    if (isDirty) return 'OK or cancel the edit first'
    return `${what}${step ? `: ${lowered(step.label ?? editor.labelOf(step.changes.changes))}` : ''} (${keys})`
  }
  return (
    <header className="top">
      <div className="top-brand">
        <Icon name="pin" />
      </div>
      <h1 className="unseen">{title}</h1>
      <ProjectTitle key={title} editor={editor} title={title} />
      {editor.readOnly ? (
        <span className="badge" data-testid="readonly-badge">
          <Icon name="lock" />
          Read-only
        </span>
      ) : (
        <>
          <span className="top-rule" />
          <div className="button-group">
            <button
              type="button"
              className="icon-button"
              title="Open a project (.db)"
              aria-label="Open a project"
              data-testid="open"
              onClick={() => file.current?.click()}
            >
              <Icon name="open" />
            </button>
            <input
              ref={file}
              type="file"
              hidden
              accept=".db,.sqlite,.sqlite3"
              data-testid="open-file"
              onChange={(event) => {
                const [chosen] = event.target.files ?? []
                event.target.value = ''
                if (chosen) void editor.open(chosen)
              }}
            />
            <button
              type="button"
              className="icon-button"
              title="Save the project (.db)"
              aria-label="Save the project"
              data-testid="save"
              onClick={() => editor.save()}
            >
              <Icon name="save" />
            </button>
          </div>
          <span className="top-rule" />
          <div className="button-group">
            <button
              type="button"
              className="icon-button"
              title={titleOf('Undo', steps.done.at(-1), 'Ctrl+Z')}
              aria-label="Undo"
              data-testid="undo"
              disabled={!canUndo || isDirty}
              onClick={() => editor.attempt(undo)}
            >
              <Icon name="undo" />
            </button>
            <button
              type="button"
              className="icon-button"
              title={titleOf('Redo', steps.undone[0], 'Ctrl+Y')}
              aria-label="Redo"
              data-testid="redo"
              disabled={!canRedo || isDirty}
              onClick={() => editor.attempt(redo)}
            >
              <Icon name="redo" />
            </button>
          </div>
        </>
      )}
      {editor.collaboration && <PeopleBar editor={editor} collaboration={editor.collaboration} />}
      <span className="top-space" />
      {!editor.readOnly && <DraftBar editor={editor} />}
      <span className="top-rule" />
      <PanelToggles layout={editor.layout} />
    </header>
  )
}

function DraftBar({ editor }: { readonly editor: Editor }) {
  const { isDirty, conflicts } = useDraftState(editor)
  const label = useDraftLabel(editor)
  return (
    <div className="draft" data-dirty={isDirty} data-testid="draft">
      <span className="draft-dot" />
      <span className="draft-label" title={isDirty ? label : undefined} data-testid="draft-label">
        {isDirty ? label : 'No open edits'}
      </span>
      {conflicts.length > 0 && <ConflictList editor={editor} conflicts={conflicts} />}
      <button
        type="button"
        className="button"
        data-testid="cancel"
        disabled={!isDirty}
        title="Put everything back (Esc)"
        onClick={() => editor.cancel()}
      >
        Cancel
      </button>
      <button
        type="button"
        className="button button-primary"
        data-testid="ok"
        disabled={!isDirty}
        title="Keep the edits (Enter)"
        onClick={() => editor.commit()}
      >
        OK
      </button>
    </div>
  )
}

/** Renames when it is left, as a step of its own. */
function ProjectTitle({ editor, title }: { readonly editor: Editor; readonly title: string }) {
  const store = useStore()
  const [typed, setTyped] = useState(title)
  const rename = (): void => {
    const name = typed.trim()
    if (name === '' || name === title) setTyped(title)
    else
      editor.attempt(() =>
        store.transaction(() => store.value('scene').set('title', name), { label: `Rename the project to ${name}` }),
      )
  }
  return (
    <input
      className="top-title"
      aria-label="Project title"
      data-keeps-enter
      data-testid="title"
      readOnly={editor.readOnly}
      maxLength={200}
      size={Math.max(typed.length, 8)}
      value={typed}
      onChange={(event) => setTyped(event.target.value)}
      onBlur={rename}
      onKeyDown={(event) => {
        // Leaving it takes what it says then.
        if (event.key === 'Escape') flushSync(() => setTyped(title))
        if (event.key === 'Enter') event.currentTarget.blur()
      }}
    />
  )
}
