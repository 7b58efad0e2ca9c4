/** Which imports `npm run lint` refuses. Type-only imports count: a circle of types is a circle of thoughts. */
export default {
  forbidden: [
    { name: "no-cycle", severity: "error", comment: "Two files that need each other are one file, or a third holds what both need.", from: {}, to: { circular: true } },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { extensions: [".ts", ".tsx", ".css"] },
  },
};
