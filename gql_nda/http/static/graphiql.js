// GraphiQL over the server that sent this page. Every address is relative: the server may stand behind a path prefix.
(async () => {
  "use strict";
  const h = React.createElement;
  const get = (address) => fetch(address).then((response) => response.text());
  const [first, gathered] = await Promise.all([get("static/first.graphql"), get("static/built/examples.json")]);
  const examples = JSON.parse(gathered);

  // Texts that nobody has written here: an example may take their place. Others keep their tab.
  const replaceable = new Set(["", first, ...examples.map((example) => example.query)].map((text) => text.trim()));

  // What stands between backticks is code.
  const text = (title) => title.split("`").map((part, i) => (i % 2 ? h("code", { key: i }, part) : part));

  function Examples() {
    const { addTab, queryEditor, variableEditor } = GraphiQL.React.useEditorContext({ nonNull: true });
    const [opened, show] = React.useState(null);
    React.useEffect(() => {
      if (!opened) return;
      variableEditor.setValue(opened.variables);
      queryEditor.setValue(opened.query);
    }, [opened]);
    // In a task of its own, after changes that wait: else React adds the tab once more, and it is empty again.
    const open = (example) =>
      setTimeout(() => {
        if (!replaceable.has(queryEditor.getValue().trim())) addTab();
        show({ ...example });
      });
    const entry = (example) =>
      h("li", { key: example.name }, h("button", { type: "button", onClick: () => open(example) }, text(example.title)));
    return h(
      "section",
      { "aria-label": "Examples" },
      h("div", { className: "graphiql-doc-explorer-title" }, "Examples"),
      h("ul", { className: "examples" }, examples.map(entry)),
    );
  }

  const icon = () =>
    h(
      "svg",
      { viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", strokeWidth: 1.5, strokeLinecap: "round" },
      h("path", { d: "M4 5h16M4 10h16M4 15h10M4 20h7" }),
    );
  const panel = { title: "Examples", icon, content: Examples };
  const explorer = GraphiQLPluginExplorer.explorerPlugin();
  const visited = localStorage.getItem("graphiql:visiblePlugin") !== null;

  ReactDOM.createRoot(document.getElementById("graphiql")).render(
    h(GraphiQL, {
      fetcher: GraphiQL.createFetcher({ url: "graphql" }),
      plugins: examples.length ? [panel, explorer] : [explorer],
      visiblePlugin: examples.length && !visited ? panel : undefined,
      defaultTabs: [{ query: first }],
      defaultQuery: "",
      defaultEditorToolsVisibility: "variables",
    }),
  );
})();
