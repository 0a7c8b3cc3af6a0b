package declaration

import (
	"go/ast"
	"go/token"
	"reflect"
)

// plain copies a node without its positions, so that it prints on one line where it can.
func plain[N ast.Node](n N) N { return transform(n, nil, false) }

// substitute copies a node with names replaced by what they stand for. Positions stay,
// for messages.
func substitute[N ast.Node](n N, bindings map[string]ast.Expr) N { return transform(n, bindings, true) }

func transform[N ast.Node](n N, bindings map[string]ast.Expr, positions bool) N {
	c := copier{bindings: bindings, positions: positions}
	holder := reflect.New(reflect.TypeFor[N]()).Elem()
	holder.Set(reflect.ValueOf(n))
	return c.copy(holder).Interface().(N)
}

type copier struct {
	bindings  map[string]ast.Expr
	positions bool
	operand   bool // what is copied is part of an operator expression
}

// operators are the expressions whose parts bind tighter than a binary operator.
var operators = map[reflect.Type]bool{
	reflect.TypeFor[ast.BinaryExpr](): true, reflect.TypeFor[ast.UnaryExpr](): true,
	reflect.TypeFor[ast.SelectorExpr](): true, reflect.TypeFor[ast.StarExpr](): true,
}

func (c copier) copy(v reflect.Value) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	switch v.Kind() {
	case reflect.Interface:
		if v.IsNil() {
			return out
		}
		if id, ok := v.Interface().(*ast.Ident); ok {
			if e, ok := c.bindings[id.Name]; ok {
				if _, compound := e.(*ast.BinaryExpr); compound && c.operand {
					e = &ast.ParenExpr{X: e}
				}
				out.Set(reflect.ValueOf(e))
				return out
			}
		}
		out.Set(c.copy(v.Elem()))
	case reflect.Pointer:
		if v.IsNil() {
			return out
		}
		switch v.Interface().(type) {
		case *ast.CommentGroup:
			return out
		}
		p := reflect.New(v.Type().Elem())
		p.Elem().Set(c.copy(v.Elem()))
		out.Set(p)
	case reflect.Slice:
		if v.IsNil() {
			return out
		}
		out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		for i := range v.Len() {
			out.Index(i).Set(c.copy(v.Index(i)))
		}
	case reflect.Struct:
		inner := c
		inner.operand = operators[v.Type()]
		for i := range v.NumField() {
			f := v.Type().Field(i)
			switch {
			case f.Type == reflect.TypeFor[token.Pos]():
				// The position of an ellipsis says that there is one.
				if c.positions || f.Name == "Ellipsis" {
					out.Field(i).Set(v.Field(i))
				}
				continue
			case v.Type() == reflect.TypeFor[ast.KeyValueExpr]() && f.Name == "Key":
				inner.bindings = nil // the name of a member
			default:
				inner.bindings = c.bindings
			}
			out.Field(i).Set(inner.copy(v.Field(i)))
		}
	default:
		out.Set(v)
	}
	return out
}
