// A binding stays the same while a panel is mounted, and its hooks with it.
/* oxlint-disable react/hooks */
import { type CSSProperties, type ReactNode, useId, useLayoutEffect, useRef } from 'react'
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
  const { panel, useValue, useGuest, useMixed } = useFieldBinding()
  const guest = useGuest(field.path)
  const id = useId()
  const [value] = useValue(field.path)
  const mixed = useMixed(field.path)
  const changed = mixed || !same(value, field.default)
  const wide = field.kind === 'points'
  return (
    <div
      className="field"
      data-kind={field.kind}
      data-changed={changed}
      data-mixed={mixed}
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
      onClick={(event) => {
        reset(field.path)
        // Pressed by key it leaves the focus with the field, as it is gone itself.
        const place = event.currentTarget.closest('.field')
        const control = place?.querySelector<HTMLElement>('[id]') ?? place?.querySelector<HTMLElement>('input')
        if (event.detail === 0) control?.focus()
      }}
    >
      <Icon name="reset" />
    </button>
  )
}

/** What stands for values that differ. */
const mixedText = 'mixed'

type TextProps = FieldProps & { readonly placeholder?: string }

/** The props of a field of text: where values differ it is empty, except for a text that is refused. */
function useTextProps(path: string): TextProps {
  const { useProps, useMixed } = useFieldBinding()
  const props = useProps(path)
  const mixed = useMixed(path)
  if (!mixed) return props
  const shown = { placeholder: mixedText, ...(props.error === undefined && { value: '' }) }
  // What is no attribute of an element is not enumerable: it stays so.
  return Object.assign(Object.defineProperties({}, Object.getOwnPropertyDescriptors(props)) as FieldProps, shown)
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
  const { useProps, useMixed } = useFieldBinding()
  const slider = useProps(field.path)
  const number = useTextProps(field.path)
  const mixed = useMixed(field.path)
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
          aria-valuetext={mixed ? mixedText : undefined}
          style={{ '--share': mixed ? 0 : share } as CSSProperties}
        />
        <span className="unit" data-unit={field.unit}>
          <input {...number} id={id} data-testid={testId.replace('field-', 'number-')} />
        </span>
      </div>
    </WithError>
  )
}

function InputControl({ field, id, testId }: ControlProps) {
  const props = useTextProps(field.path)
  return (
    <WithError props={props}>
      <span className="unit" data-unit={field.unit}>
        <input placeholder={field.default === null ? 'none' : undefined} {...props} id={id} data-testid={testId} />
      </span>
    </WithError>
  )
}

function LongTextControl({ field, id, testId }: ControlProps) {
  const { type: _, ...props } = useTextProps(field.path)
  return <textarea placeholder={field.hint} {...props} id={id} rows={2} data-testid={testId} />
}

function ColorControl({ field, id, testId }: ControlProps) {
  const swatch = useFieldBinding().useProps(field.path)
  const text = useTextProps(field.path)
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
  return <Switch path={field.path} id={id} testId={testId} />
}

interface SwitchProps {
  readonly path: string
  readonly testId: string
  readonly id?: string
  readonly label?: string
}

/** A switch; where values differ it stands in the middle, as a checkbox may and a switch may not. */
export function Switch({ path, testId, id, label }: SwitchProps) {
  const { useProps, useMixed } = useFieldBinding()
  const props = useProps(path)
  const mixed = useMixed(path)
  const box = useRef<HTMLInputElement>(null)
  useLayoutEffect(() => {
    if (box.current) box.current.indeterminate = mixed
  })
  return (
    <input
      {...props}
      {...(mixed ? { checked: false } : { role: 'switch' })}
      ref={box}
      id={id}
      className="switch"
      aria-label={label}
      title={label}
      data-testid={testId}
    />
  )
}

function SelectControl({ field, id, testId }: ControlProps) {
  const { options = [] } = useFieldBinding().useProps(field.path)
  const choices = options.map(({ value, label }) => ({ value, label: label.replaceAll('-', ' ') }))
  return <Choice path={field.path} id={id} testId={testId} choices={choices} />
}

function LayerControl({ field, id, testId }: ControlProps) {
  const layers = useRows('layer', { orderBy: 'name' })
  const choices = layers.map((layer) => ({ value: layer.id, label: layer.name }))
  return <Choice path={field.path} id={id} testId={testId} choices={[{ value: '', label: 'none' }, ...choices]} />
}

interface ChoiceProps {
  readonly path: string
  readonly id: string
  readonly testId: string
  readonly choices: readonly { readonly value: string; readonly label: string }[]
}

/** No value of a property. */
const noChoice = '\u0000'

function Choice({ path, id, testId, choices }: ChoiceProps) {
  const { useProps, useMixed } = useFieldBinding()
  const { name, value, disabled, onChange, onBlur, onKeyDown } = useProps(path)
  const mixed = useMixed(path)
  return (
    <select
      name={name}
      value={mixed ? noChoice : value}
      disabled={disabled}
      onChange={onChange}
      onBlur={onBlur}
      onKeyDown={onKeyDown}
      id={id}
      data-testid={testId}
    >
      {mixed && (
        <option value={noChoice} disabled hidden>
          {mixedText}
        </option>
      )}
      {choices.map((choice) => (
        <option key={choice.value} value={choice.value}>
          {choice.label}
        </option>
      ))}
    </select>
  )
}

const tagsOf = (value: unknown): readonly string[] => (Array.isArray(value) ? (value as readonly string[]) : [])

function TagsControl({ field, id, testId }: ControlProps) {
  const { useProps, useValue, useChange, useMixed } = useFieldBinding()
  const { disabled } = useProps(field.path)
  const [value] = useValue(field.path)
  const change = useChange(field.path)
  const mixed = useMixed(field.path)
  return (
    <div className="tags">
      {tagsOf(value).map((tag) => (
        <button
          key={tag}
          type="button"
          className="tag"
          disabled={disabled}
          title={`Remove ${tag}`}
          aria-label={`Remove ${tag}`}
          onClick={() => change((tags) => tagsOf(tags).filter((other) => other !== tag))}
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
          placeholder={mixed ? `${mixedText}; add…` : 'Add…'}
          maxLength={40}
          onKeyDown={(event) => {
            const word = event.currentTarget.value.trim()
            if (event.key !== 'Enter' || word === '') return
            change((tags) => (tagsOf(tags).includes(word) ? tags : [...tagsOf(tags), word]))
            event.currentTarget.value = ''
          }}
        />
      )}
    </div>
  )
}
