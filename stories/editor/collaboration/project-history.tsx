import { useState } from 'react'
import type { Editor } from '../app/editor.ts'
import { Icon } from '../app/icons.tsx'
import { useFocusBack } from '../app/use-focus-back.ts'
import type { Collaboration } from './collaboration.ts'
import type { LogEntry } from './database-calls.ts'
import { ForkWindow } from './fork-window.ts'
import { LogItem } from './log-item.tsx'
import { logLabel } from './log-label.ts'
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
  const snapshotButton = useFocusBack(naming)
  const { calls } = collaboration
  const labels = new Map(snapshots.map(({ sequence, label }) => [sequence, label]))
  const run = (task: Promise<void>): void => {
    task.then(read, (error: unknown) => editor.fail(error))
  }
  const fork = (name: string, at: number): void => {
    const forked = new ForkWindow(name)
    const url = `${location.origin}${location.pathname}?project=${encodeURIComponent(name)}`
    const made = async (): Promise<void> => {
      try {
        await calls.fork(name, at, (share) => forked.show(share))
      } catch (error) {
        forked.close()
        throw error
      }
      if (forked.isOpen) forked.goTo(url)
      else editor.notify({ kind: 'info', message: `Made the project ${name}: it is at ${url}` })
    }
    run(made())
  }
  const rollBack = async (entry: LogEntry): Promise<void> => {
    const { sequence } = entry
    const newest = entries[0]?.sequence ?? sequence
    const later = newest - sequence
    const what = `${sequence} (${labels.get(sequence) ?? logLabel(entry, editor)})`
    const sure = await editor.ask({
      title: `Roll back to ${what}?`,
      text:
        `What was done since, ${later.toLocaleString('en')} ${later === 1 ? 'step' : 'steps'}, is taken back for ` +
        'everyone. It stays in the history: you can roll back to it again.',
      action: 'Roll back',
    })
    if (!sure) return
    editor.notify({ kind: 'busy', message: `Rolling back to ${sequence}…` })
    const last = await calls.rollBack(sequence)
    const message =
      last > newest ? `Rolled back to ${what}` : `Nothing differs from ${what}: there was nothing to roll back`
    editor.notify({ kind: 'info', message })
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
            ref={snapshotButton}
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
            onRollBack={() => run(rollBack(entry))}
            onFork={(name) => fork(name, entry.sequence)}
          />
        ))}
        {entries.length === 0 && <li className="empty">The history shows here once the server is reached.</li>}
      </ol>
    </>
  )
}
