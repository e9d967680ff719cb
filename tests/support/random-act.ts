import { ConstraintError, NotFoundError, RejectedError, TransactionError, ValidationError } from 'rowcast'
import { expect } from 'vitest'
import type { Seat } from './convergence-seat.ts'
import { ASKS } from './ledger.ts'
import type { Marks } from './marks.ts'
import type { Random } from './random.ts'

type Space = Pick<Seat['store'], 'table'>

/** Someone does something, which may be refused at once. Gives the name of what was done. */
export function actAtRandom(seat: Seat, random: Random, report: (error: unknown) => void): string {
  const label = `do ${random.int(1e9)}`
  const what = random.int(10)
  try {
    if (seat.marks && random.chance(50)) {
      actOnMarked(seat, seat.marks, random)
      return `marked ${label}`
    }
    switch (what) {
      case 0:
        seat.store.transaction(
          () => {
            for (let n = 0; n < 3; n++) writeAtRandom(seat, seat.store, random)
          },
          { label },
        )
        break
      case 1:
        if (!seat.draft) seat.draft = seat.store.draft({ label })
        else writeAtRandom(seat, seat.draft, random)
        break
      case 2:
        if (seat.draft) writeAtRandom(seat, seat.draft, random)
        break
      case 3:
        if (seat.draft && random.chance(40)) {
          if (random.chance(60)) seat.draft.commit({ ifUnchanged: random.chance(30) })
          else seat.draft.cancel()
          // A commit that is refused leaves the draft open.
          seat.draft = undefined
        }
        break
      case 4:
        if (random.chance(40)) seat.store.history.undo()
        break
      case 5:
        ask(seat, random, report)
        break
      case 6:
        if (random.chance(50)) dealWithRefused(seat, random)
        break
      case 7:
        writeAtRandom(seat, seat.store, random)
        break
      default:
        seat.store.transaction(() => writeAtRandom(seat, seat.store, random), { label })
    }
  } catch (error) {
    if (!isRefusal(error)) throw error
  }
  return `${what} ${label}`
}

function writeAtRandom({ store, marks }: Seat, space: Space, random: Random): void {
  if (marks && random.chance(50)) {
    writeMarked(store, space, marks, random)
    return
  }
  const id = random.int(6)
  const layer = `l${random.int(3)}`
  const notes = space.table('note')
  const known = store.table('note')
  const layers = store.table('layer')
  switch (random.int(9)) {
    case 0:
      notes.upsert({ id, size: random.int(100), ...(layers.has(layer) && { layerId: layer }) })
      break
    case 1:
      if (known.has(id)) notes.set(id, 'size', random.int(100))
      break
    case 2:
      if (known.has(id)) notes.update(id, { text: { value: `t${random.int(9)}` }, points: [random.int(3)] })
      break
    case 3:
      if (known.has(id)) notes.set(id, 'slug', `s${random.int(4)}`)
      break
    case 4:
      if (known.has(id)) notes.delete(id)
      break
    case 5:
      space.table('layer').upsert({ id: layer, name: `n${random.int(5)}` })
      break
    case 6:
      if (known.has(id)) notes.set(id, 'secret', random.chance(50))
      break
    case 7:
      if (layers.has(layer))
        space.table('layer').set(layer, 'owner', random.chance(50) ? `u${random.int(5)}` : undefined)
      break
    default:
      if (layers.has(layer) && random.chance(30)) space.table('layer').delete(layer)
  }
}

/** Some transactions in a row, the last of which may be undone, and that done again. */
function actOnMarked(seat: Seat, marks: Marks, random: Random): void {
  const { store } = seat
  const { history } = store
  for (let n = random.int(4); n >= 0; n--) store.transaction(() => writeMarked(store, store, marks, random))
  if (random.chance(15)) deleteAndUndo(store, random)
  else if (random.chance(30)) history.undo()
  if (random.chance(10)) history.redo()
}

/** What has a default and is not there is withheld: then it can't be put back. */
function deleteAndUndo(store: Seat['store'], random: Random): void {
  const notes = store.table('note')
  const id = random.pick(notes.keys())
  if (id === undefined) return
  const { size } = notes.get(id) as { readonly size?: number }
  store.transaction(() => notes.delete(id))
  const undone = store.history.undo()
  if (size === undefined) expect(undone, 'size is withheld').toBeUndefined()
}

/** Writes what may be withheld, and what that depends on, whether it is seen or not. */
function writeMarked(store: Seat['store'], space: Space, marks: Marks, random: Random): void {
  const notes = space.table('note')
  const text = { value: `u${random.int(5)}`, ...(random.chance(50) && { color: marks.color() }) }
  const id = random.chance(30) ? undefined : random.pick(store.table('note').keys())
  if (id === undefined) {
    const size = random.chance(70) && { size: marks.number() }
    const points = random.chance(70) && { points: [marks.number(), marks.number()] }
    notes.upsert({ id: random.int(6), ...size, ...(random.chance(70) && { text }), ...points })
    return
  }
  switch (random.int(10)) {
    case 0:
      notes.set(id, 'size', marks.number())
      break
    case 1:
      notes.set(id, 'size', undefined)
      break
    case 2:
      notes.set(id, 'points', random.chance(70) ? [marks.number()] : undefined)
      break
    case 3:
      notes.update(id, { text: random.chance(70) ? { color: marks.color() } : undefined })
      break
    case 4:
      notes.update(id, { text: { color: undefined } })
      break
    case 5:
      notes.update(id, { text, size: marks.number() })
      break
    case 6:
      notes.update(id, { text, secret: random.chance(50) })
      break
    case 7:
      notes.set(id, 'secret', random.chance(50))
      break
    case 8:
      notes.set(id, 'slug', random.chance(50) ? `s${random.int(4)}` : undefined)
      break
    default:
      notes.delete(id)
  }
}

/** A transaction that shows only once the server has confirmed it. */
function ask(seat: Seat, random: Random, report: (error: unknown) => void): void {
  const { store, asked } = seat
  const id = random.int(6)
  const label = `${ASKS} ${random.int(1e9)}`
  const notes = store.table('note')
  const increment = (): boolean => {
    if (!notes.has(id)) return false
    notes.set(id, 'size', notes.get(id)!.size + 1)
    return true
  }
  store
    .transaction(increment, { confirm: 'server', retries: 2, label })
    .then((wrote) => wrote && asked.push(label))
    .catch((error: unknown) => {
      if (!isRefusal(error)) report(error)
    })
}

function dealWithRefused(seat: Seat, random: Random): void {
  const rejected = random.pick(seat.rejected)
  if (!rejected) return
  if (random.chance(50)) rejected.retry()
  else rejected.discard()
  seat.ledger.dealt(rejected.id)
}

function isRefusal(error: unknown): boolean {
  return (
    error instanceof ConstraintError ||
    error instanceof ValidationError ||
    error instanceof NotFoundError ||
    error instanceof RejectedError ||
    // What is withheld of a deleted row can't be put back.
    error instanceof TransactionError
  )
}
