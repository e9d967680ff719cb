import type { ReactNode } from 'react'

interface PopoverProps {
  readonly title: string
  /** What the button that opens it says. */
  readonly label: string
  readonly testId: string
  /** At which edge of the button it lies. */
  readonly side: 'left' | 'right'
  readonly children: ReactNode
}

/** A list in the bar above, opened by a button. One is open at a time. */
export function Popover({ title, label, testId, side, children }: PopoverProps) {
  return (
    <details className="popover" name="popover" data-testid={testId}>
      <summary className="popover-open popover-bad">{label}</summary>
      <div className={`popover-body popover-${side}`}>
        <h2>{title}</h2>
        {children}
      </div>
    </details>
  )
}
