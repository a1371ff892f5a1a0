// Where the records of a batch stand in each value of a graph. Two probes at different batch sizes tell which axis grows with the batch;
// where that axis also holds something else (positions flattened into rows), the value that it came from tells which of the two is outside.

import { elementCount, type Graph, type GraphNode } from '../graph/types.js';
import type { Shapes } from '../graph/measured.js';

/** The extent of `axis` is outer * batch * inner, the records in the middle. */
export interface BatchPlace {
  readonly axis: number;
  readonly outer: number;
  readonly inner: number;
}

/** `mixed`: the batch is in it, and nobody can say where. */
export type Place = BatchPlace | 'mixed' | undefined;

/** Operators after which a flat order of elements is the same as before. */
const OF_SAME_ORDER: ReadonlySet<string> = new Set(['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Identity', 'Cast']);

/** For each value: where the batch is, undefined for a value without it. `other`: of a probe at another batch size. */
export function batchPlaces(graph: Graph, input: string, shapes: Shapes, other: Shapes): (name: string) => Place {
  const batch = shapes.get(input)?.shape[0] ?? 1;
  const otherBatch = other.get(input)?.shape[0] ?? 1;
  const places = new Map<string, Place>([[input, { axis: 0, outer: 1, inner: 1 }]]);
  const shapeOf = (name: string): readonly number[] => shapes.get(name)?.shape ?? [];
  for (const node of graph.nodes)
    for (const output of node.outputs) {
      if (output === '') continue;
      const shape = shapeOf(output);
      const otherShape = other.get(output)?.shape ?? [];
      const grown = [...shape.keys()].filter((axis) => shape[axis] !== otherShape[axis]);
      const [axis = -1] = grown;
      const extent = shape[axis] ?? 0;
      // A second output that the probe leaves out is of no use, and not the same for all records.
      if (!shapes.has(output)) places.set(output, 'mixed');
      else if (shape.length !== otherShape.length || grown.length > 1) places.set(output, 'mixed');
      else if (grown.length === 0) places.set(output, undefined);
      else if (extent * otherBatch !== (otherShape[axis] ?? 0) * batch) places.set(output, 'mixed');
      else if (extent === batch) places.set(output, { axis, outer: 1, inner: 1 });
      else places.set(output, mergedPlace(node, axis, extent / batch));
    }
  return (name) => places.get(name);

  function mergedPlace(node: GraphNode, axis: number, others: number): Place {
    const shape = shapeOf(node.outputs[0] ?? '');
    for (const name of node.inputs) {
      const place = places.get(name);
      if (place === undefined || place === 'mixed') continue;
      if (OF_SAME_ORDER.has(node.operator)) {
        const before = elementCount(shapeOf(name).slice(0, place.axis)) * place.outer;
        const outer = before / elementCount(shape.slice(0, axis));
        return Number.isInteger(outer) && Number.isInteger(others / outer)
          ? { axis, outer, inner: others / outer }
          : 'mixed';
      }
      if (place.outer * place.inner === others) return { axis, outer: place.outer, inner: place.inner };
    }
    return 'mixed';
  }
}
