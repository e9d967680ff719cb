import type { Observable } from 'rxjs'

/** As much of a draft as tells how it ends. */
interface Ending {
  readonly state: 'open' | 'committed' | 'cancelled'
  readonly conflicts$: Observable<unknown>
}

/**
 * Tells once a workspace is cancelled, at the latest when nobody listens to it any more; a store never is.
 *
 * @returns what stops listening
 */
export function whenCancelled(workspace: object, tell: () => void): () => void {
  if (!isEnding(workspace)) return () => undefined
  const look = (): void => {
    if (workspace.state === 'cancelled') tell()
  }
  if (workspace.state !== 'open') {
    look()
    return () => undefined
  }
  // Its end is the draft's, and unlike isDirty$ it costs nothing to listen to.
  const subscription = workspace.conflicts$.subscribe({ complete: look })
  return () => {
    subscription.unsubscribe()
    look()
  }
}

function isEnding(workspace: object): workspace is Ending {
  return 'conflicts$' in workspace
}
