interface NameFormProps {
  readonly label: string
  readonly action: string
  readonly pattern?: string
  readonly onName: (name: string) => void
  readonly onClose: () => void
}

/** Asks for a name on one line. */
export function NameForm({ label, action, pattern, onName, onClose }: NameFormProps) {
  return (
    <form
      className="name-form"
      onSubmit={(event) => {
        event.preventDefault()
        const name = String(new FormData(event.currentTarget).get('name')).trim()
        if (name !== '') onName(name)
      }}
    >
      <input
        name="name"
        required
        autoFocus
        maxLength={60}
        pattern={pattern}
        placeholder={label}
        aria-label={label}
        title={pattern === undefined ? label : `${label}: small letters, digits and hyphens`}
        data-keeps-enter
        data-testid="name-input"
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return
          onClose()
          event.preventDefault()
        }}
      />
      <button type="submit" className="button button-small button-primary">
        {action}
      </button>
    </form>
  )
}
