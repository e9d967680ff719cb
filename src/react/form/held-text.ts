import { type CellValue, equalValues } from '../../changes/index.ts'
import type { Source } from '../source.ts'
import type { FieldError } from './field-error.ts'

/** A text that differs from the one the store's value would give: `1.`, or one that the store has refused. */
export interface HeldText {
  readonly text: string
  /** The store's value when this was typed, or when the field was left. */
  readonly stored: CellValue
  /** Why it is refused; empty where the store has taken it. */
  readonly errors: readonly FieldError[]
  /** Whether it outlasts a change of the store's value: a refused text that is being edited, which is nowhere else. */
  readonly stays: boolean
  /** Removes what stands in the control and is no text: React knows nothing of it. */
  readonly clear: (() => void) | undefined
}

/** What a field holds back from the store, if anything. For one component. */
export interface HeldSource extends Source<HeldText | undefined> {
  readonly hold: (text: HeldText | undefined) => void
  /** Gives up what is held, and what stands in the control. */
  readonly drop: () => void
}

/**
 * Holds a field's text. When the store's value changes from elsewhere the text is gone for good, or it would come back
 * together with the value that it was typed over.
 */
export function heldText(value: Source<CellValue>): HeldSource {
  let held: HeldText | undefined
  let tell: (() => void) | undefined
  function get(): HeldText | undefined {
    if (held && !held.stays && !equalValues(held.stored, value.get())) forget()
    return held
  }
  function forget(): void {
    const was = held
    held = undefined
    was?.clear?.()
  }
  return {
    get,
    hold: (text) => {
      held = text
      tell?.()
    },
    drop: () => {
      forget()
      tell?.()
    },
    subscribe: (notify) => {
      tell = () => {
        get()
        notify()
      }
      return value.subscribe(tell)
    },
  }
}
