// Functions of an ONNX file's own (FunctionProto), as newer PyTorch exporters write them: each call is replaced by the body, with names
// of its own. A function may call others, but not, by any way, itself; it sees its inputs, its attributes and nothing else.

import type { Problems } from '../errors.js';
import type { AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto } from '../gen/onnx/onnx.js';
import { FreshNames } from './names.js';
import { Spend } from './spend.js';

type Source = ModelProto & { readonly graph: GraphProto };

/** Functions in functions. Each level is a call on the stack. */
const DEPTH_MAX = 64;

/** Domains whose operators have one meaning everywhere: a function must not give them another. */
const FIXED_DOMAINS = new Set(['', 'ai.onnx', 'ai.onnx.ml']);

/** The file without functions and without the domains that only they were in. Throws `model/too-large`. */
export function inlineFunctions(source: Source, problems: Problems): Source {
  const functions = new Map<string, FunctionProto>();
  for (const entry of source.functions) {
    if (FIXED_DOMAINS.has(entry.domain))
      problems.add(
        place(entry),
        'gives an operator of the standard another meaning; a function needs a domain of its own',
      );
    else if (functions.has(keyOf(entry))) problems.add(place(entry), 'is defined twice');
    else functions.set(keyOf(entry), entry);
  }
  const own = new Set([...functions.values()].map(({ domain }) => domain));
  checkOperatorSets(source, own, problems);
  const inliner = new Inliner(functions, source.graph, problems);
  const node = inliner.inline(source.graph.node);
  const opsetImport = source.opsetImport.filter(({ domain }) => !own.has(domain));
  return { ...source, graph: { ...source.graph, node }, opsetImport, functions: [] };
}

/** A body is moved into the graph, so it must mean the same there. */
function checkOperatorSets(source: Source, own: ReadonlySet<string>, problems: Problems): void {
  const versions = new Map(source.opsetImport.map(({ domain, version }) => [standard(domain), version]));
  for (const entry of source.functions)
    for (const { domain, version } of entry.opsetImport) {
      const outside = versions.get(standard(domain));
      if (own.has(domain) || outside === version) continue;
      const there = outside === undefined ? 'does not import it' : `has ${String(outside)}`;
      problems.add(place(entry), `is written for operator set ${String(version)} of '${domain}', the model ${there}`);
    }
}

class Inliner {
  readonly #fresh: FreshNames;
  readonly #spend = new Spend();

  constructor(
    readonly functions: ReadonlyMap<string, FunctionProto>,
    graph: GraphProto,
    readonly problems: Problems,
  ) {
    this.#fresh = new FreshNames(graph);
  }

  /** `open`: the functions whose bodies these nodes stand in, outermost first. */
  inline(nodes: readonly NodeProto[], open: readonly FunctionProto[] = []): NodeProto[] {
    return nodes.flatMap((node, position) => {
      const called = this.functions.get(keyOf({ ...node, name: node.opType }));
      if (open.length > 0 || called !== undefined) this.#spend.node(node);
      if (called === undefined) return [node];
      const name = node.name === '' ? `${node.opType}#${String(position)}` : node.name;
      if (open.includes(called) || open.length >= DEPTH_MAX) {
        const why = open.includes(called) ? 'calls itself' : `stands in more than ${String(DEPTH_MAX)} others`;
        this.problems.add(place(called), why);
        return [];
      }
      return this.inline(this.#body(called, node, name), [...open, called]);
    });
  }

  /** The body of `called` with the names and attributes of one call. */
  #body(called: FunctionProto, call: NodeProto, name: string): NodeProto[] {
    const where = `node ${name}`;
    const refuse = (what: string): void => {
      this.problems.add(where, what);
    };
    if (call.input.length > called.input.length)
      refuse(
        `gives ${String(call.input.length)} inputs to function ${called.name}, which takes ${String(called.input.length)}`,
      );
    if (call.output.length > called.output.length)
      refuse(
        `takes ${String(call.output.length)} outputs of function ${called.name}, which has ${String(called.output.length)}`,
      );
    const attributes = this.#attributes(called, call, refuse);
    const names = new Map([['', '']]);
    for (const [at, input] of called.input.entries()) names.set(input, call.input[at] ?? '');
    const passedOn: NodeProto[] = [];
    const results = new Map<string, string>();
    for (const [at, inner] of called.output.entries()) {
      const outer = call.output[at] ?? '';
      if (outer === '') continue;
      // An input handed out, or one value under two names, has no node to name it.
      if (names.has(inner) || results.has(inner)) passedOn.push(identity(inner, outer));
      else results.set(inner, outer);
    }
    const renamed = (value: string): string => {
      const found = names.get(value);
      if (found === undefined) refuse(`function ${called.name} uses ${value}, which it does not define before`);
      return found ?? '';
    };
    const body = called.node.map((node) => {
      const input = node.input.map(renamed);
      const output = node.output.map((value) => {
        if (value === '') return '';
        if (names.has(value)) refuse(`function ${called.name} defines ${value} twice`);
        const outer = results.get(value) ?? this.#fresh.within(name, value);
        names.set(value, outer);
        return outer;
      });
      const inner = this.#fresh.within(name, node.name === '' ? node.opType : node.name);
      return { ...node, name: inner, input, output, attribute: bind(node, attributes, refuse) };
    });
    for (const inner of results.keys())
      if (!names.has(inner)) refuse(`function ${called.name} computes its output ${inner} nowhere`);
    return [...body, ...passedOn.map((node) => ({ ...node, input: node.input.map(renamed) }))];
  }

  /** What a call says, over the function's defaults. */
  #attributes(called: FunctionProto, call: NodeProto, refuse: (what: string) => void): Map<string, AttributeProto> {
    const attributes = new Map(called.attributeProto.map((entry) => [entry.name, entry]));
    const known = new Set([...called.attribute, ...attributes.keys()]);
    for (const entry of call.attribute) {
      if (!known.has(entry.name)) refuse(`function ${called.name} has no attribute ${entry.name}`);
      attributes.set(entry.name, entry);
    }
    return attributes;
  }
}

/** Attributes that refer to those of the function, with their values; one that the call leaves open stays away. */
function bind(
  { attribute }: NodeProto,
  values: ReadonlyMap<string, AttributeProto>,
  refuse: (what: string) => void,
): AttributeProto[] {
  return attribute.flatMap((entry) => {
    if (entry.refAttrName === '') return [entry];
    const value = values.get(entry.refAttrName);
    if (value === undefined) return [];
    if (value.type !== entry.type)
      refuse(`attribute ${entry.refAttrName} is not of the kind that the function expects`);
    return [{ ...value, name: entry.name }];
  });
}

function identity(input: string, output: string): NodeProto {
  return {
    input: [input],
    output: [output],
    name: output,
    opType: 'Identity',
    attribute: [],
    docString: '',
    domain: '',
    overload: '',
  };
}

function standard(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain;
}

function keyOf({ domain, name, overload }: { domain: string; name: string; overload: string }): string {
  return JSON.stringify([domain, name, overload]);
}

function place({ name, domain }: FunctionProto): string {
  return `function ${domain}.${name}`;
}
