declare global {
  interface Window {
    /** Set while pictures are to be whole. */
    drawsAllInstances?: boolean
  }
}

/**
 * Runs in a page before its scripts: it cannot use anything from outside of itself. Of an instanced draw it passes on one
 * instance only: WebGL in software draws each as if it were a call of its own, which takes seconds for a hundred thousand.
 */
export function drawFewInstances(): void {
  const { prototype } = WebGL2RenderingContext
  const { drawElementsInstanced, drawArraysInstanced } = prototype
  prototype.drawElementsInstanced = function limited(mode, count, type, offset, instances) {
    drawElementsInstanced.call(
      this,
      mode,
      count,
      type,
      offset,
      window.drawsAllInstances ? instances : Math.min(instances, 1),
    )
  }
  prototype.drawArraysInstanced = function limited(mode, first, count, instances) {
    drawArraysInstanced.call(this, mode, first, count, window.drawsAllInstances ? instances : Math.min(instances, 1))
  }
}
