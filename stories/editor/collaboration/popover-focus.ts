/** Closes the list that is open in the bar above, its button with the focus. Returns whether one was open. */
export function closePopover(): boolean {
  const popover = document.querySelector<HTMLDetailsElement>('.popover[open]')
  if (!popover) return false
  if (popover.contains(document.activeElement)) popover.querySelector('summary')?.focus()
  popover.open = false
  return true
}

/** Once an entry of a list is gone that had the focus: it goes to the next one, or else to what comes after the list. */
export function focusWhatIsLeft(testId: string): void {
  requestAnimationFrame(() => {
    if (document.activeElement !== document.body) return
    const next = [`[data-testid=${testId}] .popover-body button`, '[data-testid=ok]:enabled', '[data-testid=map]']
    const found = next.map((selector) => document.querySelector<HTMLElement>(selector)).find((element) => element)
    found?.focus()
  })
}
