// A binding stays the same while a panel is mounted, and its hooks with it.
/* oxlint-disable react/hooks */
import { type CSSProperties, type ReactNode, useId } from 'react'
import type { FieldProps } from 'rowcast/react'
import { initialsOf } from '../collaboration/person.ts'
import type { Guest } from '../collaboration/presence-state.ts'
import { useRows } from './editor-store.ts'
import { useFieldBinding } from './field-binding.ts'
import type { FieldNode } from './field-tree.ts'
import { Icon } from './icons.tsx'
import { PointsEditor } from './points-editor.tsx'

const same = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b)

/** One property: label, control, and the way back to the default. */
export function Field({ field }: { readonly field: FieldNode }) {
  const { panel, useValue, useGuest } = useFieldBinding()
  const guest = useGuest(field.path)
  const id = useId()
  const [value] = useValue(field.path)
  const changed = !same(value, field.default)
  const wide = field.kind === 'points'
  return (
    <div
      className="field"
      data-kind={field.kind}
      data-changed={changed}
      data-guest={guest !== undefined}
      style={guest && ({ '--guest': guest.color } as CSSProperties)}
    >
      {!wide && (
        <label htmlFor={id} title={field.hint}>
          {field.label}
        </label>
      )}
      <Control field={field} id={id} testId={`field-${panel}-${field.path}`} />
      {guest ? (
        <GuestMark guest={guest} testId={`guest-${panel}-${field.path}`} />
      ) : (
        <ResetButton field={field} shown={changed && field.default !== undefined} />
      )}
    </div>
  )
}

/** Who edits it, in the reset button's place: what comes and goes with others must not move what is edited here. */
function GuestMark({ guest: { name, color }, testId }: { readonly guest: Guest; readonly testId: string }) {
  const text = `edited by ${name}`
  return (
    <span
      className="field-guest"
      role="img"
      aria-label={text}
      title={text}
      style={{ background: color }}
      data-testid={testId}
    >
      {initialsOf(name)}
    </span>
  )
}

function ResetButton({ field, shown }: { readonly field: FieldNode; readonly shown: boolean }) {
  const { panel, useReset, useProps } = useFieldBinding()
  const reset = useReset()
  const { disabled } = useProps(field.path)
  if (!shown || disabled) return <span className="field-reset" />
  return (
    <button
      type="button"
      className="field-reset"
      title={`Reset to ${field.default === '' ? 'empty' : JSON.stringify(field.default)}`}
      aria-label={`Reset ${field.label}`}
      data-testid={`reset-${panel}-${field.path}`}
      onClick={() => reset(field.path)}
    >
      <Icon name="reset" />
    </button>
  )
}

interface ControlProps {
  readonly field: FieldNode
  readonly id: string
  readonly testId: string
}

function Control(props: ControlProps) {
  switch (props.field.kind) {
    case 'slider':
      return <SliderControl {...props} />
    case 'color':
      return <ColorControl {...props} />
    case 'switch':
      return <SwitchControl {...props} />
    case 'select':
      return <SelectControl {...props} />
    case 'layer':
      return <LayerControl {...props} />
    case 'longText':
      return <LongTextControl {...props} />
    case 'points':
      return <PointsEditor />
    case 'tags':
      return <TagsControl {...props} />
    case 'number':
    case 'text':
      return <InputControl {...props} />
  }
}

function WithError({ props: { error }, children }: { readonly props: FieldProps; readonly children: ReactNode }) {
  return (
    <div className="control">
      {children}
      {error !== undefined && (
        <div className="field-error" role="alert">
          {error}
        </div>
      )}
    </div>
  )
}

function SliderControl({ field, id, testId }: ControlProps) {
  const { useProps } = useFieldBinding()
  const slider = useProps(field.path)
  const number = useProps(field.path)
  const { min = 0, max = 1 } = slider
  const share = Math.min(Math.max((Number(slider.value) - min) / (max - min), 0), 1)
  return (
    <WithError props={number}>
      <div className="slider" data-exact={field.exact}>
        <input
          {...slider}
          type="range"
          data-testid={testId}
          aria-label={field.label}
          style={{ '--share': share } as CSSProperties}
        />
        <span className="unit" data-unit={field.unit}>
          <input {...number} id={id} data-testid={testId.replace('field-', 'number-')} />
        </span>
      </div>
    </WithError>
  )
}

function InputControl({ field, id, testId }: ControlProps) {
  const props = useFieldBinding().useProps(field.path)
  return (
    <WithError props={props}>
      <span className="unit" data-unit={field.unit}>
        <input {...props} id={id} data-testid={testId} placeholder={field.default === null ? 'none' : undefined} />
      </span>
    </WithError>
  )
}

function LongTextControl({ field, id, testId }: ControlProps) {
  const { type: _, ...props } = useFieldBinding().useProps(field.path)
  return <textarea {...props} id={id} rows={2} data-testid={testId} placeholder={field.hint} />
}

function ColorControl({ field, id, testId }: ControlProps) {
  const { useProps } = useFieldBinding()
  const swatch = useProps(field.path)
  const text = useProps(field.path)
  return (
    <WithError props={text}>
      <div className="color">
        <input {...swatch} data-testid={testId} aria-label={field.label} />
        <input {...text} id={id} type="text" spellCheck={false} data-testid={testId.replace('field-', 'text-')} />
      </div>
    </WithError>
  )
}

function SwitchControl({ field, id, testId }: ControlProps) {
  const props = useFieldBinding().useProps(field.path)
  return <input {...props} id={id} className="switch" role="switch" data-testid={testId} />
}

function SelectControl({ field, id, testId }: ControlProps) {
  const props = useFieldBinding().useProps(field.path)
  return (
    <select
      name={props.name}
      value={props.value}
      disabled={props.disabled}
      onChange={props.onChange}
      onBlur={props.onBlur}
      onKeyDown={props.onKeyDown}
      id={id}
      data-testid={testId}
    >
      {props.options?.map(({ value, label }) => (
        <option key={value} value={value}>
          {label.replaceAll('-', ' ')}
        </option>
      ))}
    </select>
  )
}

function LayerControl({ field, id, testId }: ControlProps) {
  const props = useFieldBinding().useProps(field.path)
  const layers = useRows('layer', { orderBy: 'name' })
  return (
    <select
      name={props.name}
      value={props.value}
      disabled={props.disabled}
      onChange={props.onChange}
      onBlur={props.onBlur}
      onKeyDown={props.onKeyDown}
      id={id}
      data-testid={testId}
    >
      <option value="">none</option>
      {layers.map((layer) => (
        <option key={layer.id} value={layer.id}>
          {layer.name}
        </option>
      ))}
    </select>
  )
}

function TagsControl({ field, id, testId }: ControlProps) {
  const { useProps, useValue } = useFieldBinding()
  const { disabled } = useProps(field.path)
  const [value, set] = useValue(field.path)
  const tags = (Array.isArray(value) ? value : []) as readonly string[]
  return (
    <div className="tags">
      {tags.map((tag) => (
        <button
          key={tag}
          type="button"
          className="tag"
          disabled={disabled}
          title={`Remove ${tag}`}
          onClick={() => set(tags.filter((other) => other !== tag))}
        >
          {tag}
          <Icon name="close" />
        </button>
      ))}
      {!disabled && (
        <input
          id={id}
          data-testid={testId}
          data-keeps-enter
          placeholder="Add…"
          maxLength={40}
          onKeyDown={(event) => {
            const word = event.currentTarget.value.trim()
            if (event.key !== 'Enter' || word === '') return
            if (!tags.includes(word)) set([...tags, word])
            event.currentTarget.value = ''
          }}
        />
      )}
    </div>
  )
}
