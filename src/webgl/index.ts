/**
 * webgl: a table as dense typed arrays with dirty ranges, for WebGL buffers. Stands on src/store and knows no renderer;
 * `rowcast/three` binds it to three.js.
 * @module
 */
export type { AttributeOptions } from './attribute.ts'
export type { AttributeArray, AttributeType } from './attribute-type.ts'
export { cssColor, linearColor, type ColorBytes, type LinearColor } from './css-color.ts'
export type { DirtyRange } from './dirty-slots.ts'
export { nextFrame, type FrameScheduler } from './frame-scheduler.ts'
export { createMirror } from './create-mirror.ts'
export type { AttributeLayout, Mirror, MirrorAttributes, MirrorDirty, MirrorOptions } from './mirror.ts'
