import type { Editor } from './editor.ts'
import { useSubject } from './use-subject.ts'

/** Tells readers of the screen what is selected, wherever it was selected. */
export function Announcer({ editor }: { readonly editor: Editor }) {
  const { ids, primary } = useSubject(editor.selection$)
  const text =
    primary === undefined
      ? 'Nothing selected'
      : ids.length === 1
        ? `${editor.nameOf(primary)} selected`
        : `${ids.length.toLocaleString('en')} annotations selected`
  return (
    <div className="unseen" role="status" data-testid="announcement">
      {text}
    </div>
  )
}
