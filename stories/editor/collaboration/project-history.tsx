import { useState } from 'react'
import type { Editor } from '../app/editor.ts'
import { Icon } from '../app/icons.tsx'
import type { Collaboration } from './collaboration.ts'
import { LogItem } from './log-item.tsx'
import { NameForm } from './name-form.tsx'
import { useProjectLog } from './use-project-log.ts'

/** What everyone did, newest first, from the server's log: to look into, to go back to, to branch off from. */
export function ProjectHistory({
  editor,
  collaboration,
}: {
  readonly editor: Editor
  readonly collaboration: Collaboration
}) {
  const [{ entries, snapshots }, read] = useProjectLog(editor, collaboration)
  const [naming, setNaming] = useState(false)
  const { calls } = collaboration
  const labels = new Map(snapshots.map(({ sequence, label }) => [sequence, label]))
  const run = (task: Promise<void>): void => {
    task.then(read, (error: unknown) => editor.fail(error))
  }
  const fork = (name: string, at: number): void => {
    const opened = async (): Promise<void> => {
      await calls.fork(name, at)
      window.open(`${location.pathname}?project=${encodeURIComponent(name)}`, '_blank', 'noopener')
    }
    run(opened())
  }
  return (
    <>
      <div className="log-tools">
        {naming ? (
          <NameForm
            label="Snapshot name"
            action="Save"
            onName={(label) => {
              setNaming(false)
              run(calls.makeSnapshot(label))
            }}
            onClose={() => setNaming(false)}
          />
        ) : (
          <button
            type="button"
            className="button button-small"
            data-testid="make-snapshot"
            title="Give the state of now a name, to come back to"
            onClick={() => setNaming(true)}
          >
            <Icon name="plus" />
            Snapshot
          </button>
        )}
      </div>
      <ol className="steps" data-testid="project-log">
        {entries.map((entry, index) => (
          <LogItem
            key={entry.sequence}
            entry={entry}
            snapshot={labels.get(entry.sequence)}
            current={index === 0}
            editor={editor}
            onRollBack={() => run(calls.rollBack(entry.sequence))}
            onFork={(name) => fork(name, entry.sequence)}
          />
        ))}
        {entries.length === 0 && <li className="empty">The history shows here once the server is reached.</li>}
      </ol>
    </>
  )
}
