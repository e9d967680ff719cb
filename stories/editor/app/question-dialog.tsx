import { useLayoutEffect, useRef } from 'react'
import type { Editor, Question } from './editor.ts'
import { useSubject } from './use-subject.ts'

/** Asks what the editor wants to be sure of. */
export function QuestionDialog({ editor }: { readonly editor: Editor }) {
  const question = useSubject(editor.question$)
  return question && <Dialog question={question} />
}

function Dialog({ question: { title, text, action, answer } }: { readonly question: Question }) {
  const dialog = useRef<HTMLDialogElement>(null)
  useLayoutEffect(() => {
    const element = dialog.current
    element?.showModal()
    return () => element?.close()
  }, [])
  return (
    <dialog
      ref={dialog}
      className="question"
      aria-label={title}
      data-testid="question"
      onCancel={(event) => {
        event.preventDefault()
        answer(false)
      }}
    >
      <h2>{title}</h2>
      <p>{text}</p>
      <div className="question-actions">
        <button type="button" className="button" autoFocus onClick={() => answer(false)}>
          Cancel
        </button>
        <button type="button" className="button button-primary" data-testid="yes" onClick={() => answer(true)}>
          {action}
        </button>
      </div>
    </dialog>
  )
}
