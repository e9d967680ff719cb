import { useEffect, useState } from 'react'
import { App } from './app.tsx'
import { Editor } from './editor.ts'
import { StoreProvider } from './editor-store.ts'
import { errorMessages } from './error-messages.ts'
import { Icon } from './icons.tsx'
import { databaseOf } from '../collaboration/open-shared.ts'
import { keepWindow } from './keep-window.ts'
import { importCities, type LoadProgress, openPublished, openTogether, type Project } from './load-project.ts'

interface Loaded {
  readonly editor: Editor
}

interface Failure {
  readonly title: string
  readonly message: string
}

type State = { readonly progress: LoadProgress } | Loaded | { readonly failure: Failure }

const search = new URLSearchParams(location.search)
const start: LoadProgress = { phase: 'Starting', fraction: undefined, detail: '' }
const listeners = new Set<(progress: LoadProgress) => void>()
let opening: Promise<Project> | undefined

function report(progress: LoadProgress): void {
  for (const listen of listeners) listen(progress)
}

/** Once a page, however often StrictMode mounts. */
function open(): Promise<Project> {
  return (opening ??= openProject())
}

function openProject(): Promise<Project> {
  const published = search.get('db')
  if (published !== null) return openPublished(published, report)
  return search.has('local') ? importCities(report) : openTogether(databaseOf(location.search), report)
}

const editors = new WeakMap<Project, Editor>()

/** One editor a project, with the window as it was. */
function editorOf(project: Project): Editor {
  let editor = editors.get(project)
  if (!editor) {
    const { store, world, collaboration, keeping } = project
    editors.set(project, (editor = new Editor(store, world, collaboration)))
    keepWindow(editor, keeping)
  }
  return editor
}

const titles: Readonly<Record<string, string>> = {
  version: 'This project was saved by a newer version',
  migration: 'This project can’t be brought up to date',
  remote: 'The file couldn’t be loaded',
  sql: 'This file isn’t a project',
  'no-server': 'There is no server to edit together on',
}

function failureOf(error: unknown): Failure {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return {
    title: titles[code] ?? 'The project couldn’t be opened',
    message: error instanceof Error ? error.message : String(error),
  }
}

/**
 * Opens the project, then shows the editor: the server's project that `?project=` names, the cities for oneself with
 * `?local`, or the published file that `?db=` points to.
 */
export function Boot() {
  const [state, setState] = useState<State>({ progress: start })
  useEffect(() => {
    let mounted = true
    const listen = (progress: LoadProgress): void => setState({ progress })
    listeners.add(listen)
    open().then(
      (project) => mounted && setState({ editor: editorOf(project) }),
      (error: unknown) => mounted && setState({ failure: failureOf(error) }),
    )
    return () => {
      mounted = false
      listeners.delete(listen)
    }
  }, [])
  if ('editor' in state) {
    return (
      <StoreProvider store={state.editor.store} errorMessages={errorMessages}>
        <App editor={state.editor} />
      </StoreProvider>
    )
  }
  return 'failure' in state ? <FailureScreen failure={state.failure} /> : <ProgressScreen progress={state.progress} />
}

function ProgressScreen({ progress: { phase, fraction, detail } }: { readonly progress: LoadProgress }) {
  const percent = fraction === undefined ? undefined : Math.round(fraction * 100)
  return (
    <main className="boot" data-testid="progress">
      <div className="boot-card">
        <div className="boot-brand">
          <Icon name="pin" />
          <span>Annotation editor</span>
        </div>
        <div className="boot-line">
          <span>{phase}</span>
          <span className="dim">{percent === undefined ? '' : `${percent} %`}</span>
        </div>
        <div
          className="progress"
          role="progressbar"
          aria-label={phase}
          aria-valuenow={percent}
          data-busy={percent === undefined}
        >
          <div style={{ width: `${percent ?? 30}%` }} />
        </div>
        <div className="dim boot-detail">{detail}</div>
      </div>
    </main>
  )
}

function FailureScreen({ failure }: { readonly failure: Failure }) {
  return (
    <main className="boot" data-testid="failure" role="alert">
      <div className="boot-card">
        <div className="boot-brand boot-brand-bad">
          <Icon name="warning" />
          <span>{failure.title}</span>
        </div>
        <p className="boot-message">{failure.message}</p>
        <div className="boot-actions">
          <button type="button" className="button" onClick={() => location.reload()}>
            Try again
          </button>
          <a className="button button-primary" href={`${location.pathname}?local`}>
            Open the sample project
          </a>
        </div>
      </div>
    </main>
  )
}
