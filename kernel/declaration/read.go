package declaration

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// regions are the parts of the machine. What a trigger belongs to is the last thing its
// documentation says.
var regions = []Region{
	{"lifecycle", "Session lifecycle, registration and runtime binding", "01"},
	{"inputs", "Inputs: ingest, admission, queue and recovery", "02"},
	{"turn", "The turn, tool surfaces and MCP servers", "03"},
	{"ops-live", "Operations, surface requests, event streams and live channels", "04"},
	{"visibility-routing", "Tool visibility, model routing and image operations", "05"},
	{"peers", "Peers, drains, supervisors and the mob overlay", "06"},
	{"retention", "Retention: what the machine may forget", ""},
}

// stateRegions says which region owns a part of the state.
var stateRegions = map[string]string{
	"LifecycleState": "lifecycle", "InputsState": "inputs", "TurnState": "turn",
	"OpsState": "ops-live", "VisibilityState": "visibility-routing", "PeersState": "peers",
}

// Read reads the source of package kernel. It refuses a step of any other shape than
// guarded commands, with an error that names file and line.
func Read(source fs.FS) (*Declaration, error) {
	r, err := newReader(source)
	if err != nil {
		return nil, err
	}
	d := &Declaration{Regions: regions, Phases: r.phaseNames}
	for _, read := range []func(*Declaration) error{
		r.readState, r.readTypes, r.readEffects, r.readTriggers, r.readInvariants, r.readFunctions,
	} {
		if err := read(d); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// reader has the source of the package, taken apart.
type reader struct {
	fset    *token.FileSet
	files   []*ast.File // in the order of their names
	structs map[string]*ast.StructType
	types   map[string]*ast.TypeSpec
	docs    map[string]*ast.CommentGroup // of types
	home    map[string]*ast.File         // of types
	funcs   map[string]*ast.FuncDecl     // by name, Type.name for methods
	byName  map[string][]*ast.FuncDecl   // methods by bare name
	effects map[string]bool
	// stateFields are the fields of all parts of the state, by their Go name.
	stateFields map[string]Field
	phases      map[string]uint64
	phaseNames  []string
	enums       map[string][]string
	used        map[string]bool // functions that rules call
}

func (r *reader) errorf(at ast.Node, format string, args ...any) error {
	return fmt.Errorf("%s: %s", r.fset.Position(at.Pos()), fmt.Sprintf(format, args...))
}

func newReader(source fs.FS) (*reader, error) {
	r := &reader{
		fset: token.NewFileSet(), structs: map[string]*ast.StructType{}, types: map[string]*ast.TypeSpec{},
		docs: map[string]*ast.CommentGroup{}, home: map[string]*ast.File{}, funcs: map[string]*ast.FuncDecl{},
		byName: map[string][]*ast.FuncDecl{}, effects: map[string]bool{}, stateFields: map[string]Field{},
		phases: map[string]uint64{}, enums: map[string][]string{}, used: map[string]bool{},
	}
	entries, err := fs.ReadDir(source, ".")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		name := e.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, "_gen.go") {
			continue
		}
		src, err := fs.ReadFile(source, name)
		if err != nil {
			return nil, err
		}
		f, err := parser.ParseFile(r.fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		r.files = append(r.files, f)
	}
	for _, f := range r.files {
		for _, decl := range f.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				r.addFunc(decl)
			case *ast.GenDecl:
				r.addGen(f, decl)
			}
		}
	}
	return r, r.readConstants()
}

func (r *reader) addFunc(f *ast.FuncDecl) {
	owner := receiverType(f)
	if owner == "" {
		r.funcs[f.Name.Name] = f
		return
	}
	r.funcs[owner+"."+f.Name.Name] = f
	r.byName[f.Name.Name] = append(r.byName[f.Name.Name], f)
	if f.Name.Name == "EffectDisposition" {
		r.effects[owner] = true
	}
}

func (r *reader) addGen(f *ast.File, decl *ast.GenDecl) {
	for _, spec := range decl.Specs {
		ts, ok := spec.(*ast.TypeSpec)
		if !ok {
			continue
		}
		r.types[ts.Name.Name] = ts
		r.home[ts.Name.Name] = f
		r.docs[ts.Name.Name] = decl.Doc
		if ts.Doc != nil {
			r.docs[ts.Name.Name] = ts.Doc
		}
		if st, ok := ts.Type.(*ast.StructType); ok {
			r.structs[ts.Name.Name] = st
		}
	}
}

// receiverType is the bare name of a method's receiver, empty for a function.
func receiverType(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	return bareType(f.Recv.List[0].Type)
}

func bareType(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return bareType(t.X)
	case *ast.ParenExpr:
		return bareType(t.X)
	case *ast.IndexExpr:
		return bareType(t.X)
	case *ast.IndexListExpr:
		return bareType(t.X)
	case *ast.Ident:
		return t.Name
	}
	return ""
}

// readConstants finds the phases with their named sets, and the variants of enums.
func (r *reader) readConstants() error {
	for _, f := range r.files {
		for _, decl := range f.Decls {
			gd, ok := decl.(*ast.GenDecl)
			if !ok || gd.Tok != token.CONST {
				continue
			}
			first := gd.Specs[0].(*ast.ValueSpec)
			if typ, ok := first.Type.(*ast.Ident); ok && r.isByte(typ.Name) && typ.Name != "Phase" {
				if err := r.readEnum(typ.Name, gd); err != nil {
					return err
				}
			}
		}
	}
	return r.readPhases()
}

func (r *reader) isByte(typ string) bool {
	ts, ok := r.types[typ]
	return ok && bareType(ts.Type) == "uint8"
}

// handmade are the small types that are not enums of the chapters.
var handmade = map[string]bool{"Disposition": true, "RefusalKind": true, "ToolFilterKind": true, "OpTerminalKind": true}

func (r *reader) readEnum(typ string, gd *ast.GenDecl) error {
	if handmade[typ] {
		return nil
	}
	for _, spec := range gd.Specs {
		for _, n := range spec.(*ast.ValueSpec).Names {
			variant, ok := strings.CutPrefix(n.Name, typ)
			if !ok {
				return r.errorf(n, "constant %s does not start with its type %s", n.Name, typ)
			}
			r.enums[typ] = append(r.enums[typ], variant)
		}
	}
	return nil
}

// readPhases reads the constants of phase.go: one bit each, then sets of them.
func (r *reader) readPhases() error {
	for _, f := range r.files {
		if r.fset.Position(f.Pos()).Filename != "phase.go" {
			continue
		}
		for _, decl := range f.Decls {
			gd, ok := decl.(*ast.GenDecl)
			if !ok || gd.Tok != token.CONST {
				continue
			}
			for _, spec := range gd.Specs {
				vs := spec.(*ast.ValueSpec)
				name := vs.Names[0].Name
				first := len(r.phaseNames) == 0
				switch {
				case first || len(vs.Values) == 0:
					r.phases[name] = 1 << len(r.phaseNames)
					r.phaseNames = append(r.phaseNames, name)
				case name == "Stay":
					r.phases[name] = 0
				default:
					set, err := r.phaseSet(vs.Values[0])
					if err != nil {
						return err
					}
					r.phases[name] = set
				}
			}
		}
	}
	if len(r.phaseNames) == 0 {
		return fmt.Errorf("phase.go declares no phases")
	}
	return nil
}

// phaseSet evaluates a set of phases: names joined by bars.
func (r *reader) phaseSet(e ast.Expr) (uint64, error) {
	switch e := e.(type) {
	case *ast.Ident:
		if set, ok := r.phases[e.Name]; ok {
			return set, nil
		}
		return 0, r.errorf(e, "%s is not a phase", e.Name)
	case *ast.ParenExpr:
		return r.phaseSet(e.X)
	case *ast.BinaryExpr:
		x, err := r.phaseSet(e.X)
		if err != nil {
			return 0, err
		}
		y, err := r.phaseSet(e.Y)
		if err != nil {
			return 0, err
		}
		switch e.Op {
		case token.OR:
			return x | y, nil
		case token.AND_NOT:
			return x &^ y, nil
		}
	}
	return 0, r.errorf(e, "%s is not a set of phases", r.source(e))
}

func (r *reader) phasesIn(set uint64) []string {
	var names []string
	for i, name := range r.phaseNames {
		if set&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

func (r *reader) readState(d *Declaration) error {
	state, ok := r.structs["State"]
	if !ok {
		return fmt.Errorf("there is no type State")
	}
	initial := r.initialValues()
	for _, part := range state.Fields.List {
		name := bareType(part.Type)
		region, ok := stateRegions[name]
		if !ok {
			return r.errorf(part, "no region owns the part %s of the state", name)
		}
		fields, err := r.fields(r.structs[name])
		if err != nil {
			return err
		}
		for _, f := range fields {
			f.Region, f.Initial = region, initial[f.GoName]
			f.Doc = strings.TrimPrefix(f.Doc, f.GoName+": ")
			d.State = append(d.State, f)
			r.stateFields[f.GoName] = f
		}
	}
	return nil
}

// initialValues are those that NewState sets.
func (r *reader) initialValues() map[string]string {
	values := map[string]string{}
	if f := r.funcs["NewState"]; f != nil {
		for _, statement := range f.Body.List {
			set, ok := statement.(*ast.AssignStmt)
			if !ok || len(set.Lhs) != 1 {
				continue
			}
			if sel, ok := set.Lhs[0].(*ast.SelectorExpr); ok {
				values[sel.Sel.Name] = strings.ReplaceAll(r.source(set.Rhs[0]), "_", "")
			}
		}
	}
	return values
}

// fields reads the members of a struct that has a JSON form.
func (r *reader) fields(st *ast.StructType) ([]Field, error) {
	var fields []Field
	for _, f := range st.Fields.List {
		if len(f.Names) != 1 || f.Tag == nil {
			return nil, r.errorf(f, "a field has one name and a json tag")
		}
		tag, err := strconv.Unquote(f.Tag.Value)
		if err != nil {
			return nil, err
		}
		typ, err := r.notation(f.Type)
		if err != nil {
			return nil, err
		}
		fields = append(fields, Field{
			Name: reflect.StructTag(tag).Get("json"), Type: typ, Doc: oneLine(f.Doc), GoName: f.Names[0].Name,
			Column: bareType(f.Type) == "Column",
		})
	}
	return fields, nil
}

// notation is a Go type as the chapters write it.
func (r *reader) notation(t ast.Expr) (string, error) {
	switch t := t.(type) {
	case *ast.Ident:
		switch t.Name {
		case "string":
			return "String", nil
		case "uint64":
			return "u64", nil
		case "bool":
			return "bool", nil
		case "Phase":
			return "MeerkatPhase", nil
		}
		if _, ok := r.types[t.Name]; ok {
			return t.Name, nil
		}
	case *ast.ArrayType:
		if element, err := r.notation(t.Elt); t.Len == nil && err == nil {
			return "Seq<" + element + ">", nil
		}
	case *ast.IndexExpr:
		element, err := r.notation(t.Index)
		if err != nil {
			return "", err
		}
		switch bareType(t.X) {
		case "Opt":
			return "Option<" + element + ">", nil
		case "Set":
			return "Set<" + element + ">", nil
		}
	case *ast.IndexListExpr:
		switch bareType(t.X) {
		case "Column":
			value, err := r.notation(t.Indices[0])
			return "Map<String, " + value + ">", err
		case "Map":
			key, err := r.notation(t.Indices[0])
			if err != nil {
				return "", err
			}
			value, err := r.notation(t.Indices[1])
			return "Map<" + key + ", " + value + ">", err
		}
	}
	return "", r.errorf(t, "a field cannot be of type %s", r.source(t))
}

// unionVariants are the variants of the tagged unions, the zero value first.
var unionVariants = map[string][]string{
	"ToolFilter":        {"All", "Allow", "Deny"},
	"OpTerminalPayload": {"Retired", "Completed", "Failed", "Aborted", "Cancelled", "Terminated"},
}

func (r *reader) readTypes(d *Declaration) error {
	d.Types = append(d.Types, Type{Name: "MeerkatPhase", Kind: "enum", Variants: r.phaseNames, Doc: oneLine(r.docs["Phase"])})
	for name, variants := range r.enums {
		d.Types = append(d.Types, Type{Name: name, Kind: "enum", Variants: variants, Doc: oneLine(r.docs[name])})
	}
	for name, ts := range r.types {
		if !strings.HasSuffix(r.fset.Position(ts.Pos()).Filename, "_types.go") {
			continue
		}
		t := Type{Name: name, Doc: oneLine(r.docs[name])}
		switch underlying := ts.Type.(type) {
		case *ast.Ident:
			if underlying.Name == "uint8" {
				continue
			}
			t.Kind, t.Of = "newtype", underlying.Name
		case *ast.ArrayType:
			t.Kind, t.Of = "newtype", "bytes"
			if n, ok := underlying.Len.(*ast.BasicLit); ok {
				t.Of += n.Value
			}
		case *ast.StructType:
			t.Kind = "record"
			var err error
			if t.Fields, err = r.fields(underlying); err != nil {
				return err
			}
		default:
			return r.errorf(ts, "type %s is no enum, record or named scalar", name)
		}
		if t.Of == "uint64" {
			t.Of = "u64"
		}
		d.Types = append(d.Types, t)
	}
	// The two tagged unions are written by hand, with their JSON.
	for name, variants := range unionVariants {
		d.Types = append(d.Types, Type{Name: name, Kind: "union", Variants: variants, Doc: oneLine(r.docs[name])})
	}
	slices.SortFunc(d.Types, func(a, b Type) int { return strings.Compare(a.Name, b.Name) })
	return nil
}

func (r *reader) readEffects(d *Declaration) error {
	for _, f := range r.files {
		for _, decl := range f.Decls {
			fd, ok := decl.(*ast.FuncDecl)
			if !ok || fd.Name.Name != "EffectDisposition" || fd.Recv == nil {
				continue
			}
			name := receiverType(fd)
			st, ok := r.structs[name]
			if !ok {
				return r.errorf(fd, "the effect %s is not a struct", name)
			}
			ret, ok := onlyStatement[*ast.ReturnStmt](fd.Body)
			if !ok || len(ret.Results) != 1 || bareType(ret.Results[0]) == "" {
				return r.errorf(fd, "the disposition of %s is one returned constant", name)
			}
			fields, err := r.fields(st)
			if err != nil {
				return err
			}
			d.Effects = append(d.Effects, Effect{
				Name: name, Disposition: strings.ToLower(bareType(ret.Results[0])), Doc: paragraphs(r.docs[name]), Fields: fields,
			})
		}
	}
	slices.SortFunc(d.Effects, func(a, b Effect) int { return strings.Compare(a.Name, b.Name) })
	return nil
}

var (
	belongs = regexp.MustCompile(`(Public command|Runtime-internal|Surface-only|Signal)[^.]*?,\s+chapter\s+(\d\d)\.`)
	topic   = regexp.MustCompile(`^Chapter \d\d, ([^:.]+)[:.]`)
)

func (r *reader) readTriggers(d *Declaration) error {
	for _, f := range r.files {
		for _, decl := range f.Decls {
			fd, ok := decl.(*ast.FuncDecl)
			if !ok || fd.Name.Name != "step" || fd.Recv == nil {
				continue
			}
			t, err := r.readTrigger(f, fd)
			if err != nil {
				return err
			}
			d.Triggers = append(d.Triggers, *t)
		}
	}
	order := map[string]int{}
	for i, region := range regions {
		order[region.Name] = i
	}
	slices.SortStableFunc(d.Triggers, func(a, b Trigger) int { return order[a.Region] - order[b.Region] })
	// An effect belongs to the region whose rules emit it first.
	for i := range d.Effects {
		d.Effects[i].Region = r.regionOfEffect(d, d.Effects[i].Name)
	}
	return nil
}

func (r *reader) regionOfEffect(d *Declaration, name string) string {
	for _, t := range d.Triggers {
		for _, rule := range t.Rules {
			for _, e := range rule.Effects {
				if e.Effect == name {
					return t.Region
				}
			}
		}
	}
	// Emitted by no rule: where its file says.
	for _, c := range r.home[name].Comments {
		for _, region := range regions {
			if region.Chapter != "" && strings.HasPrefix(c.Text(), "Chapter "+region.Chapter) {
				return region.Name
			}
		}
	}
	return regions[0].Name
}

func (r *reader) readTrigger(f *ast.File, step *ast.FuncDecl) (*Trigger, error) {
	name := receiverType(step)
	st, ok := r.structs[name]
	if !ok {
		return nil, r.errorf(step, "the trigger %s is not a struct", name)
	}
	t := &Trigger{
		Name: name, Kind: Input, File: r.fset.Position(f.Pos()).Filename, Doc: paragraphs(r.docs[name]),
	}
	if _, ok := r.funcs[name+".signal"]; ok {
		t.Kind = Signal
	}
	if _, ok := r.funcs[name+".extension"]; ok {
		t.Kind, t.Region = Extension, "retention"
	} else {
		m := belongs.FindAllStringSubmatch(t.Doc, -1)
		if m == nil {
			return nil, r.errorf(step, `the documentation of %s does not say who sends it and in which chapter it is, as in "Runtime-internal, chapter 02."`, name)
		}
		t.Class = m[len(m)-1][1]
		for _, region := range regions {
			if region.Chapter == m[len(m)-1][2] {
				t.Region = region.Name
			}
		}
		if t.Region == "" {
			return nil, r.errorf(step, "%s is of chapter %s, which there is not", name, m[len(m)-1][2])
		}
	}
	for _, c := range f.Comments {
		if m := topic.FindStringSubmatch(c.Text()); m != nil {
			t.Topic = m[1]
			break
		}
	}
	var err error
	if t.Fields, err = r.fields(st); err != nil {
		return nil, err
	}
	t.Rules, err = r.readStep(step, t)
	return t, err
}

// readInvariants reads the table of invariants.go.
func (r *reader) readInvariants(d *Declaration) error {
	for _, f := range r.files {
		for _, decl := range f.Decls {
			gd, ok := decl.(*ast.GenDecl)
			if !ok || gd.Tok != token.VAR {
				continue
			}
			vs := gd.Specs[0].(*ast.ValueSpec)
			if vs.Names[0].Name != "invariants" {
				continue
			}
			for _, row := range vs.Values[0].(*ast.CompositeLit).Elts {
				cells := row.(*ast.CompositeLit).Elts
				name, err := strconv.Unquote(cells[0].(*ast.BasicLit).Value)
				if err != nil {
					return err
				}
				method := cells[1].(*ast.SelectorExpr).Sel.Name
				fd, ok := r.funcs["State."+method]
				if !ok {
					return r.errorf(row, "the invariant %s has no method State.%s", name, method)
				}
				d.Invariants = append(d.Invariants, Invariant{Name: name, Source: r.source(fd.Body)})
			}
		}
	}
	if len(d.Invariants) == 0 {
		return fmt.Errorf("there is no table of invariants")
	}
	return nil
}

// readFunctions lists the functions that rules call.
func (r *reader) readFunctions(d *Declaration) error {
	for name := range r.used {
		fd := r.funcs[name]
		bare := *fd
		bare.Doc = nil
		d.Functions = append(d.Functions, Function{Name: name, Doc: oneLine(fd.Doc), Source: r.source(&bare)})
	}
	slices.SortFunc(d.Functions, func(a, b Function) int { return strings.Compare(a.Name, b.Name) })
	return nil
}

// source prints a node as gofmt would.
func (r *reader) source(n any) string {
	var b bytes.Buffer
	config := printer.Config{Mode: printer.UseSpaces | printer.TabIndent, Tabwidth: 8}
	if err := config.Fprint(&b, r.fset, n); err != nil {
		return fmt.Sprintf("%v", err)
	}
	return b.String()
}

func onlyStatement[S ast.Stmt](body *ast.BlockStmt) (S, bool) {
	var none S
	if body == nil || len(body.List) != 1 {
		return none, false
	}
	s, ok := body.List[0].(S)
	return s, ok
}

func oneLine(c *ast.CommentGroup) string {
	return strings.Join(strings.Fields(c.Text()), " ")
}

// paragraphs is a documentation comment with its lines joined.
func paragraphs(c *ast.CommentGroup) string {
	var out []string
	for p := range strings.SplitSeq(c.Text(), "\n\n") {
		if p = strings.Join(strings.Fields(p), " "); p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, "\n\n")
}
