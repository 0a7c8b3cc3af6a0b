package declaration

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strconv"
)

// The names a step gives its receiver and parameters.
const (
	triggerName = "in"
	kernelName  = "k"
	stateName   = "s"
)

// readStep reads the rules of one trigger: one tagless switch, a case for each rule.
func (r *reader) readStep(step *ast.FuncDecl, t *Trigger) ([]Rule, error) {
	if names := step.Recv.List[0].Names; len(names) != 1 || names[0].Name != triggerName {
		return nil, r.errorf(step, "the receiver of a step is called %s", triggerName)
	}
	if p := parameters(step); len(p) != 2 || p[0] != kernelName || p[1] != stateName {
		return nil, r.errorf(step, "a step is step(%s *Kernel, %s *State)", kernelName, stateName)
	}
	sw, ok := onlyStatement[*ast.SwitchStmt](step.Body)
	if !ok || sw.Init != nil || sw.Tag != nil {
		return nil, r.errorf(step, "a step is one switch without a tag and nothing else")
	}
	var rules []Rule
	for _, clause := range sw.Body.List {
		c := clause.(*ast.CaseClause)
		if c.List == nil {
			return nil, r.errorf(c, "a step has no default: a trigger without a rule that holds is refused")
		}
		if len(c.List) != 1 {
			return nil, r.errorf(c, "a case is one expression, k.rule(...) && its guards")
		}
		rule, err := r.readRule(c, t)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(rules, func(other Rule) bool { return other.Name == rule.Name }) {
			return nil, r.errorf(c, "%s has the rule %s twice", t.Name, rule.Name)
		}
		rules = append(rules, *rule)
	}
	return rules, nil
}

func (r *reader) readRule(c *ast.CaseClause, t *Trigger) (*Rule, error) {
	terms := conjuncts(c.List[0])
	head, ok := r.kernelCall(terms[0], "rule")
	if !ok || len(head.Args) != 3 {
		return nil, r.errorf(c, `a case starts with k.rule("Name", from, to)`)
	}
	name, err := r.text(head.Args[0])
	if err != nil {
		return nil, err
	}
	from, err := r.phaseSet(head.Args[1])
	if err != nil {
		return nil, err
	}
	to, err := r.phaseSet(head.Args[2])
	if err != nil {
		return nil, err
	}
	if from == 0 || to&(to-1) != 0 {
		return nil, r.errorf(head, "%s leads from some phases to one of them, or stays", name)
	}
	rule := &Rule{Name: name, From: r.phasesIn(from), PerPhase: to == 0, Doc: r.commentAbove(c)}
	if to != 0 {
		rule.To = r.phasesIn(to)[0]
	}
	for _, term := range terms[1:] {
		if err := r.readGuards(term, t, rule, 0); err != nil {
			return nil, err
		}
	}
	for _, statement := range c.Body {
		if err := r.readStatement(statement, t, rule, 0); err != nil {
			return nil, err
		}
	}
	return rule, nil
}

// maxNesting bounds how deep guard groups and bodies call others.
const maxNesting = 5

// readGuards reads one term of a case: a guard, or a call of a guard group, which is a
// function that only returns such terms.
func (r *reader) readGuards(term ast.Expr, t *Trigger, rule *Rule, depth int) error {
	if call, ok := r.kernelCall(term, "guard"); ok {
		if len(call.Args) != 2 {
			return r.errorf(call, `a guard is k.guard("name", condition)`)
		}
		name, err := r.text(call.Args[0])
		if err != nil {
			return err
		}
		if slices.ContainsFunc(rule.Guards, func(g Guard) bool { return g.Name == name }) {
			return r.errorf(call, "%s has the guard %s twice", rule.Name, name)
		}
		condition := call.Args[1]
		if err := r.pure(condition); err != nil {
			return err
		}
		rule.Guards = append(rule.Guards, Guard{
			Name: name, Source: r.source(plain(condition)), Reads: r.reads(condition, t),
		})
		return nil
	}
	call, ok := term.(*ast.CallExpr)
	if !ok || !passesKernel(call) {
		return r.errorf(term, "%s is neither k.guard(...) nor a call of a guard group", r.source(term))
	}
	group, bindings, err := r.resolve(call, t)
	if err != nil {
		return err
	}
	ret, ok := onlyStatement[*ast.ReturnStmt](group.Body)
	if !ok || len(ret.Results) != 1 {
		return r.errorf(group, "the guard group %s is more than one returned chain of guards", group.Name.Name)
	}
	if depth == maxNesting {
		return r.errorf(group, "guard groups are nested too deep")
	}
	for _, term := range conjuncts(ret.Results[0]) {
		if err := r.readGuards(substitute(term, bindings), t, rule, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// changes are the methods and functions that change a collection.
var changes = map[string]bool{"put": true, "del": true, "add": true, "putOpt": true, "delete": true, "clear": true}

// pure refuses conditions that do more than ask.
func (r *reader) pure(condition ast.Expr) error {
	var bad error
	ast.Inspect(condition, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			if n.Name == kernelName {
				bad = r.errorf(n, "a condition does not use the kernel")
			}
		case *ast.CallExpr:
			if name := calledName(n); changes[name] || name == "panic" {
				bad = r.errorf(n, "a condition changes nothing, this one calls %s", name)
			}
		}
		return bad == nil
	})
	return bad
}

// readStatement reads one statement of a body: an update, an emission, or a call of a
// function that has more of both.
func (r *reader) readStatement(s ast.Stmt, t *Trigger, rule *Rule, depth int) error {
	if err := r.cannotFail(s); err != nil {
		return err
	}
	e, ok := s.(*ast.ExprStmt)
	if !ok {
		return r.readUpdate(s, t, rule)
	}
	if call, ok := r.kernelCall(e.X, "emit"); ok {
		return r.readEmission(call, t, rule)
	}
	call, ok := e.X.(*ast.CallExpr)
	if !ok || !passesKernel(call) {
		return r.readUpdate(s, t, rule)
	}
	body, bindings, err := r.resolve(call, t)
	if err != nil {
		return err
	}
	if depth == maxNesting {
		return r.errorf(body, "bodies are nested too deep")
	}
	for _, inner := range body.Body.List {
		if err := r.readStatement(substitute(inner, bindings), t, rule, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) readUpdate(s ast.Stmt, t *Trigger, rule *Rule) error {
	if len(rule.Effects) > 0 {
		return r.errorf(s, "%s updates after it has emitted %s", rule.Name, rule.Effects[len(rule.Effects)-1].Effect)
	}
	rule.Updates = append(rule.Updates, r.source(plain(s)))
	r.reads(s, t)
	// An emission under a condition counts where it stands.
	var err error
	ast.Inspect(s, func(n ast.Node) bool {
		if e, ok := n.(ast.Expr); ok && err == nil {
			if call, ok := r.kernelCall(e, "emit"); ok {
				err = r.readEmission(call, t, rule)
				return false
			}
		}
		return err == nil
	})
	return err
}

// readEmission finds the type of what is emitted: a literal, or the result of a function.
func (r *reader) readEmission(call *ast.CallExpr, t *Trigger, rule *Rule) error {
	if len(call.Args) != 1 {
		return r.errorf(call, "emit takes one effect")
	}
	name := ""
	switch value := call.Args[0].(type) {
	case *ast.CompositeLit:
		name = bareType(value.Type)
	case *ast.CallExpr:
		if f := r.callee(value, scope{triggerName: t.Name, stateName: "State"}); f != nil && f.Type.Results != nil {
			name = bareType(f.Type.Results.List[0].Type)
		}
	}
	if !r.effects[name] {
		return r.errorf(call, "%s is not seen to be an effect", r.source(call.Args[0]))
	}
	r.reads(call.Args[0], t)
	rule.Effects = append(rule.Effects, Emission{Effect: name, Source: r.source(plain(call.Args[0]))})
	return nil
}

// cannotFail refuses statements that could leave a body half done.
func (r *reader) cannotFail(s ast.Stmt) error {
	var bad error
	ast.Inspect(s, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt, *ast.GoStmt, *ast.DeferStmt, *ast.SelectStmt, *ast.SendStmt, *ast.LabeledStmt:
			bad = r.errorf(n, "a body only updates and emits")
		case *ast.CallExpr:
			if calledName(n) == "panic" {
				bad = r.errorf(n, "a body cannot fail")
			}
			if call, ok := r.kernelCall(n, "guard"); ok {
				bad = r.errorf(call, "guards stand in the case, not in the body")
			}
		}
		return bad == nil
	})
	return bad
}

// kernelCall reports whether e is k.method(...).
func (r *reader) kernelCall(e ast.Expr, method string) (*ast.CallExpr, bool) {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return nil, false
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	return call, ok && isIdent(sel.X, kernelName) && sel.Sel.Name == method
}

func isIdent(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}

func passesKernel(call *ast.CallExpr) bool {
	return slices.ContainsFunc(call.Args, func(a ast.Expr) bool { return isIdent(a, kernelName) })
}

func calledName(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

func (r *reader) text(e ast.Expr) (string, error) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", r.errorf(e, "a name is a literal text, not %s", r.source(e))
	}
	return strconv.Unquote(lit.Value)
}

// conjuncts takes a chain of && apart.
func conjuncts(e ast.Expr) []ast.Expr {
	if b, ok := e.(*ast.BinaryExpr); ok && b.Op == token.LAND {
		return append(conjuncts(b.X), conjuncts(b.Y)...)
	}
	return []ast.Expr{e}
}

func parameters(f *ast.FuncDecl) []string {
	var names []string
	for _, p := range f.Type.Params.List {
		for _, n := range p.Names {
			names = append(names, n.Name)
		}
	}
	return names
}

// commentAbove is the comment that ends on the line before a case.
func (r *reader) commentAbove(c *ast.CaseClause) string {
	at := r.fset.Position(c.Pos())
	for _, f := range r.files {
		if r.fset.Position(f.Pos()).Filename != at.Filename {
			continue
		}
		for _, comment := range f.Comments {
			if r.fset.Position(comment.End()).Line == at.Line-1 {
				return oneLine(comment)
			}
		}
	}
	return ""
}

// resolve finds the function a group or body call means, and what its parameters stand
// for.
func (r *reader) resolve(call *ast.CallExpr, t *Trigger) (*ast.FuncDecl, map[string]ast.Expr, error) {
	f := r.callee(call, scope{triggerName: t.Name, stateName: "State"})
	if f == nil || f.Body == nil {
		return nil, nil, r.errorf(call, "%s calls nothing that is declared here", r.source(call))
	}
	names := parameters(f)
	if len(names) != len(call.Args) {
		return nil, nil, r.errorf(call, "%s has %d arguments for %d parameters", r.source(call), len(call.Args), len(names))
	}
	bindings := map[string]ast.Expr{}
	for i, name := range names {
		bindings[name] = unconverted(call.Args[i])
	}
	if sel, ok := call.Fun.(*ast.SelectorExpr); ok && len(f.Recv.List[0].Names) == 1 {
		bindings[f.Recv.List[0].Names[0].Name] = unconverted(sel.X)
	}
	return f, bindings, nil
}

// unconverted is the trigger where an argument is the trigger in another type.
func unconverted(e ast.Expr) ast.Expr {
	inner := e
	for {
		switch x := inner.(type) {
		case *ast.CallExpr:
			if len(x.Args) != 1 {
				return e
			}
			inner = x.Args[0]
		case *ast.StarExpr:
			inner = x.X
		case *ast.ParenExpr:
			inner = x.X
		case *ast.Ident:
			if x.Name == triggerName {
				return x
			}
			return e
		default:
			return e
		}
	}
}

// scope says of what type those names are that stand for the trigger or the state.
type scope map[string]string

// callee finds the declaration of what a call calls, nil if it is not in the package.
func (r *reader) callee(call *ast.CallExpr, in scope) *ast.FuncDecl {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return r.funcs[f.Name]
	case *ast.SelectorExpr:
		if id, ok := f.X.(*ast.Ident); ok {
			if typ, ok := in[id.Name]; ok {
				return r.method(typ, f.Sel.Name)
			}
		}
		// A method of something else, known by its name alone.
		if all := r.byName[f.Sel.Name]; len(all) == 1 {
			return all[0]
		}
		if conversion, ok := f.X.(*ast.CallExpr); ok {
			return r.funcs[bareType(conversion.Fun)+"."+f.Sel.Name]
		}
	}
	return nil
}

// method finds a method of a type; those of the parts of the state are the state's.
func (r *reader) method(typ, name string) *ast.FuncDecl {
	if f, ok := r.funcs[typ+"."+name]; ok {
		return f
	}
	if typ == "State" {
		for part := range stateRegions {
			if f, ok := r.funcs[part+"."+name]; ok {
				return f
			}
		}
	}
	return nil
}

// foundations are the files whose functions need no explanation where a rule calls them.
var foundations = map[string]bool{
	"kernel.go": true, "opt.go": true, "collections.go": true, "columns.go": true, "values.go": true, "enum.go": true, "phase.go": true,
}

// reads finds the fields of trigger and state that n depends on, and notes the functions
// it calls.
func (r *reader) reads(n ast.Node, t *Trigger) Reads {
	v := readsVisitor{reader: r, trigger: map[string]bool{}, state: map[string]bool{}, seen: map[string]bool{}}
	v.visit(n, scope{triggerName: t.Name, stateName: "State"})
	return Reads{Trigger: ordered(v.trigger), State: ordered(v.state)}
}

func ordered(set map[string]bool) []string {
	var names []string
	for name := range set {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

type readsVisitor struct {
	*reader
	trigger, state map[string]bool
	seen           map[string]bool
}

func (v *readsVisitor) visit(n ast.Node, in scope) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			id, ok := n.X.(*ast.Ident)
			if !ok {
				return true
			}
			switch typ := in[id.Name]; typ {
			case "":
			case "State":
				if f, ok := v.stateFields[n.Sel.Name]; ok {
					v.state[f.Name] = true
				}
			default:
				v.member(typ, n.Sel.Name)
			}
			return false
		case *ast.CallExpr:
			v.call(n, in)
		case *ast.Ident:
			// The trigger as a whole, not one of its fields.
			if typ := in[n.Name]; typ != "" && typ != "State" {
				v.member(typ, "")
			}
		}
		return true
	})
}

// member notes a field of the trigger, or all if goName is empty.
func (v *readsVisitor) member(typ, goName string) {
	st, ok := v.structs[typ]
	if !ok {
		return
	}
	fields, err := v.fields(st)
	if err != nil {
		return
	}
	for _, f := range fields {
		if goName == "" || f.GoName == goName {
			v.trigger[f.Name] = true
		}
	}
}

func (v *readsVisitor) call(call *ast.CallExpr, in scope) {
	f := v.callee(call, in)
	if f == nil || f.Body == nil {
		return
	}
	if foundations[v.fset.Position(f.Pos()).Filename] {
		return
	}
	name := f.Name.Name
	if owner := receiverType(f); owner != "" {
		name = owner + "." + name
	}
	v.used[name] = true
	inner := scope{}
	if sel, ok := call.Fun.(*ast.SelectorExpr); ok && f.Recv != nil && len(f.Recv.List[0].Names) == 1 {
		inner.pass(f.Recv.List[0].Names[0].Name, sel.X, receiverType(f), in)
	}
	i := 0
	for _, p := range f.Type.Params.List {
		for _, n := range p.Names {
			if i < len(call.Args) {
				inner.pass(n.Name, call.Args[i], bareType(p.Type), in)
			}
			i++
		}
	}
	key := fmt.Sprint(name, inner)
	if v.seen[key] {
		return
	}
	v.seen[key] = true
	v.visit(f.Body, inner)
}

// pass notes that a parameter stands for the trigger or the state.
func (s scope) pass(parameter string, argument ast.Expr, typ string, in scope) {
	id, ok := unconvertedIn(argument, in).(*ast.Ident)
	if !ok || in[id.Name] == "" {
		return
	}
	if in[id.Name] == "State" {
		typ = "State"
	}
	s[parameter] = typ
}

func unconvertedIn(e ast.Expr, in scope) ast.Expr {
	switch x := e.(type) {
	case *ast.CallExpr:
		if len(x.Args) == 1 {
			if inner, ok := unconvertedIn(x.Args[0], in).(*ast.Ident); ok && in[inner.Name] != "" {
				return inner
			}
		}
	case *ast.StarExpr:
		return unconvertedIn(x.X, in)
	case *ast.ParenExpr:
		return unconvertedIn(x.X, in)
	case *ast.UnaryExpr:
		return unconvertedIn(x.X, in)
	}
	return e
}
