import type { SyncStatus } from 'rowcast'
import { BehaviorSubject, filter, merge, Subscription, switchMap, throttleTime } from 'rxjs'
import type { EditorStore } from '../app/editor-store.ts'
import type { Editor } from '../app/editor.ts'
import { DatabaseCalls } from './database-calls.ts'
import { LiveEdits } from './live-edits.ts'
import { openEdits } from './open-edits.ts'
import { type Person, tokenOf } from './person.ts'
import { type Guest, guestOf, presenceLimit, type PresenceState } from './presence-state.ts'

/** How often the others are told, in milliseconds: more often than a server passes it on is of no use. */
const tellEveryMs = 40

/** The editor among others: who is here, what they do, and the calls on the project as a whole. */
export class Collaboration {
  readonly store: EditorStore
  readonly database: string
  readonly me: Person
  readonly calls: DatabaseCalls
  readonly status$: BehaviorSubject<SyncStatus> = new BehaviorSubject<SyncStatus>({ state: 'connecting', pending: 0 })
  readonly guests$: BehaviorSubject<readonly Guest[]> = new BehaviorSubject<readonly Guest[]>([])
  readonly #subscriptions = new Subscription()

  constructor(store: EditorStore, database: string, me: Person) {
    this.store = store
    this.database = database
    this.me = me
    this.calls = new DatabaseCalls(database, tokenOf(me))
    this.#subscriptions.add(store.sync.status$.subscribe((status) => this.status$.next(status)))
    this.#subscriptions.add(
      store.sync.presence.others$.subscribe((others) => this.guests$.next(others.flatMap((one) => guestOf(one) ?? []))),
    )
  }

  /** Tells the others what is done here, and shows what they do. It lasts as long as the page. */
  attach(editor: Editor): void {
    const { store } = this
    const live = new LiveEdits(editor)
    this.#subscriptions.add(this.guests$.subscribe((guests) => live.show(guests)))
    const mine$ = merge(
      editor.selection$,
      editor.draft$,
      store.changes$.pipe(filter(({ draftId }) => draftId !== undefined && draftId === editor.draft$.value?.id)),
      // A draft that others' commits have emptied is told of as well.
      editor.draft$.pipe(switchMap((draft) => (draft?.state === 'open' ? draft.isDirty$ : []))),
    )
    let told = ''
    this.#subscriptions.add(
      mine$.pipe(throttleTime(tellEveryMs, undefined, { leading: true, trailing: true })).subscribe(() => {
        const state: PresenceState = {
          ...this.me,
          selection: editor.selection$.value.ids.slice(-presenceLimit),
          edits: openEdits(editor),
        }
        const text = JSON.stringify(state)
        if (text === told) return
        told = text
        store.sync.presence.set(JSON.parse(text))
      }),
    )
  }
}
