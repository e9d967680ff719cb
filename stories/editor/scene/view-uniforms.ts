import { Vector2, type IUniform } from 'three'
import type { MapView } from './map-view.ts'

/** Uniforms that all of the scene's shaders share. */
export interface ViewUniforms {
  readonly [name: string]: IUniform
  readonly uCenter: IUniform<Vector2>
  /** Pixels per mercator unit. */
  readonly uWorld: IUniform<number>
  readonly uViewport: IUniform<Vector2>
  readonly uZoom: IUniform<number>
  readonly uPixelRatio: IUniform<number>
}

export function createViewUniforms(): ViewUniforms {
  return {
    uCenter: { value: new Vector2() },
    uWorld: { value: 1 },
    uViewport: { value: new Vector2(1, 1) },
    uZoom: { value: 0 },
    uPixelRatio: { value: 1 },
  }
}

export function updateViewUniforms(uniforms: ViewUniforms, view: MapView, pixelRatio: number): void {
  uniforms.uCenter.value.set(view.x, view.y)
  uniforms.uWorld.value = view.worldSize
  uniforms.uViewport.value.set(view.width, view.height)
  uniforms.uZoom.value = view.zoom
  uniforms.uPixelRatio.value = pixelRatio
}

/** GLSL: from mercator to pixels from the middle (y down), and from there to clip space. */
export const viewGlsl = /* glsl */ `
uniform vec2 uCenter;
uniform float uWorld;
uniform vec2 uViewport;
uniform float uZoom;
uniform float uPixelRatio;
vec2 toPixels(vec2 mercator) { return (mercator - uCenter) * uWorld; }
vec4 toClip(vec2 pixels) { return vec4(pixels * vec2(2.0, -2.0) / uViewport, 0.0, 1.0); }
`
