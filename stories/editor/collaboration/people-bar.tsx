import type { SyncStatus } from 'rowcast'
import { useLatest, useSubject } from '../app/use-subject.ts'
import type { Editor } from '../app/editor.ts'
import { Icon } from '../app/icons.tsx'
import type { Collaboration } from './collaboration.ts'
import { initialsOf, type Person } from './person.ts'
import { RejectedList } from './rejected-list.tsx'

/** Whether all is saved, what was refused, and who is here. */
export function PeopleBar({
  editor,
  collaboration,
}: {
  readonly editor: Editor
  readonly collaboration: Collaboration
}) {
  const guests = useSubject(collaboration.guests$)
  const rejected = useLatest(collaboration.store.sync.rejected$, [])
  return (
    <>
      <span className="top-rule" />
      <ul className="people" aria-label="Who is here">
        <Avatar person={collaboration.me} title={`${collaboration.me.name} (you)`} me />
        {guests.map((guest) => (
          <Avatar
            key={guest.session}
            person={guest}
            title={guest.edits.length > 0 ? `${guest.name} is editing` : guest.name}
            busy={guest.edits.length > 0}
          />
        ))}
      </ul>
      {/* Behind the people: its text changes with each edit, and moves nothing there. */}
      <Status status={useSubject(collaboration.status$)} />
      {rejected.length > 0 && <RejectedList editor={editor} rejected={rejected} />}
    </>
  )
}

interface AvatarProps {
  readonly person: Person
  readonly title: string
  readonly me?: boolean
  readonly busy?: boolean
}

function Avatar({ person, title, me = false, busy = false }: AvatarProps) {
  return (
    <li
      className="avatar"
      data-me={me}
      data-busy={busy}
      data-testid={me ? 'me' : 'guest'}
      title={title}
      aria-label={title}
      style={{ background: person.color }}
    >
      {initialsOf(person.name)}
    </li>
  )
}

function Status({ status: { state, pending, reason } }: { readonly status: SyncStatus }) {
  const unsaved = pending === 0 ? '' : ` · ${pending.toLocaleString('en')} unsaved`
  const text =
    state === 'live'
      ? pending === 0
        ? 'Saved'
        : `Saving ${pending.toLocaleString('en')}`
      : state === 'offline'
        ? `Offline${unsaved}`
        : state === 'connecting'
          ? `Connecting${unsaved}`
          : `Disconnected${unsaved}`
  return (
    <span
      className="sync-status"
      role="status"
      data-testid="sync-status"
      data-state={state === 'live' && pending > 0 ? 'saving' : state}
      title={reason ?? (state === 'live' ? 'Everything is on the server' : '')}
    >
      <Icon name={state === 'live' ? 'check' : state === 'connecting' ? 'reset' : 'warning'} />
      {text}
    </span>
  )
}
