export interface PageLife {
  onVisible(visible: boolean): void
  /** The page stops running, and may go on later. */
  onFreeze(): void
  onResume(): void
  /** The page is left; it may be shown again from the back/forward cache. */
  onHide(): void
  onShow(): void
}

/** A worker, or Node, counts as visible. */
export function isVisible(): boolean {
  return typeof document === 'undefined' || document.visibilityState === 'visible'
}

/** Tells of the page's life. Returns a function that stops that. Where there is no page it does nothing. */
export function watchPage(life: PageLife): () => void {
  if (typeof document === 'undefined') return () => undefined
  const stop = new AbortController()
  const options = { signal: stop.signal }
  document.addEventListener('visibilitychange', () => life.onVisible(isVisible()), options)
  document.addEventListener('freeze', () => life.onFreeze(), options)
  document.addEventListener('resume', () => life.onResume(), options)
  addEventListener('pagehide', () => life.onHide(), options)
  addEventListener('pageshow', (event) => event.persisted && life.onShow(), options)
  return () => stop.abort()
}
