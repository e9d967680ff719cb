/**
 * changes: the ChangeSet, the one currency of rowcast, and what can be done with it as a value: squash, invert, diff,
 * apply, serialise; with the property paths, keys and cell values it is made of. Pure. Imports src/errors and nothing
 * else, and nothing from npm.
 * @module
 */
export { applyTo } from './apply.ts'
export type { State, StateRow } from './apply.ts'
export { fromBase64, toBase64 } from './base64.ts'
export { isCellObject, isList, isPlainObject, ownValue, setOwn } from './cell-kind.ts'
export type { CellObject } from './cell-kind.ts'
export type { Cells, CellValue, ChangeSet, Key, Origin, RowChange } from './change-set.ts'
export { diffValues, pathsOf } from './diff.ts'
export { equalValues } from './equal.ts'
export { HIDDEN, hiddenPathsOf, noteHidden, withHidden, withoutHidden } from './hidden.ts'
export { invert } from './invert.ts'
export { isEmpty } from './is-empty.ts'
export { describeKey, equalKeys, keyId, rowIdOf } from './key.ts'
export type { KeyId } from './key.ts'
export { memorySize } from './memory-size.ts'
export { formatPath, isIndex, joinPath, normalPath, parsePath } from './path.ts'
export type { Path, Segments } from './path.ts'
export { parseChangeSet, serializeChangeSet } from './serialize.ts'
export { decodeValue, parseValue, serializeValue } from './serialize-value.ts'
export { deepFreeze, shareStructure } from './share.ts'
export { NetChanges, squash } from './squash.ts'
export { allAtOnce, inOneStep, type Steps } from './steps.ts'
