package aldaba_test

import (
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strings"
)

// queryMethods are the ways in which a statement reaches a database.
var queryMethods = []string{
	"Exec", "ExecContext", "Query", "QueryContext", "QueryRow", "QueryRowContext",
	"Prepare", "PrepareContext",
}

var statement = regexp.MustCompile(`(?s)^\s*(SELECT\s|select\s.*\sfrom\s|(?i:insert\s+into\s|update\s+\S+\s+set\s|delete\s+from\s|replace\s+into\s|with\s+\S+\s+as\s*\())`)

const noRawSQL = "SQL is put together from text here: write one constant statement and pass values as parameters"

// checkSQL: no statement is built at run time, neither in the call nor on the
// way to it. Joining literals and constants of the same file stays possible.
func checkSQL(s source) []string {
	if s.isTest() {
		return nil
	}
	var complaints []string
	complain := func(at ast.Node) {
		place := s.set.Position(at.Pos())
		complaint := strings.TrimPrefix(place.String(), s.file+":") + ": " + noRawSQL
		if !slices.Contains(complaints, complaint) {
			complaints = append(complaints, complaint)
		}
	}
	constants := constantsOf(s.syntax)
	ast.Inspect(s.syntax, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if selector, ok := n.Fun.(*ast.SelectorExpr); ok && slices.Contains(queryMethods, selector.Sel.Name) {
				for _, arg := range n.Args {
					if built(arg, constants) {
						complain(arg)
					}
				}
			}
			if formats(n) && len(n.Args) > 0 && slices.ContainsFunc(n.Args, beginsStatement) {
				complain(n)
			}
		case *ast.BinaryExpr:
			if n.Op == token.ADD && beginsStatement(n) && built(n, constants) {
				complain(n)
				return false
			}
		case *ast.AssignStmt: // query += …
			if n.Tok == token.ADD_ASSIGN && len(n.Rhs) == 1 && sqlTail(n.Rhs[0]) {
				complain(n)
			}
		}
		return true
	})
	return complaints
}

// built reports whether an expression makes text at run time.
func built(e ast.Expr, constants map[string]bool) bool {
	switch e := e.(type) {
	case *ast.CallExpr:
		return formats(e)
	case *ast.ParenExpr:
		return built(e.X, constants)
	case *ast.BinaryExpr:
		return e.Op == token.ADD && hasText(e) && !fixed(e, constants)
	}
	return false
}

// hasText tells joined text from a sum of numbers.
func hasText(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return e.Kind == token.STRING
	case *ast.ParenExpr:
		return hasText(e.X)
	case *ast.BinaryExpr:
		return hasText(e.X) || hasText(e.Y)
	}
	return false
}

// fixed reports whether an expression is known when the program is compiled.
func fixed(e ast.Expr, constants map[string]bool) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return true
	case *ast.Ident:
		return constants[e.Name]
	case *ast.ParenExpr:
		return fixed(e.X, constants)
	case *ast.BinaryExpr:
		return fixed(e.X, constants) && fixed(e.Y, constants)
	}
	return false
}

// formats recognises fmt.Sprintf and the other makers of text.
func formats(call *ast.CallExpr) bool {
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	from, ok := selector.X.(*ast.Ident)
	return ok && (from.Name == "fmt" && strings.HasPrefix(selector.Sel.Name, "Sprint") ||
		from.Name == "fmt" && strings.HasPrefix(selector.Sel.Name, "Append") ||
		from.Name == "strings" && slices.Contains([]string{"Join", "Replace", "ReplaceAll", "Repeat"}, selector.Sel.Name))
}

// beginsStatement looks at the leftmost literal of an expression.
func beginsStatement(e ast.Expr) bool {
	for {
		switch x := e.(type) {
		case *ast.BinaryExpr:
			e = x.X
			continue
		case *ast.ParenExpr:
			e = x.X
			continue
		case *ast.BasicLit:
			return x.Kind == token.STRING && statement.MatchString(strings.Trim(x.Value, "`\""))
		}
		return false
	}
}

var tail = regexp.MustCompile(`(?i)^\s*(where|and|or|order\s+by|limit|join|group\s+by|values)\s`)

// sqlTail recognises the piece of a statement that is glued to another.
func sqlTail(e ast.Expr) bool {
	for {
		switch x := e.(type) {
		case *ast.BinaryExpr:
			e = x.X
			continue
		case *ast.CallExpr:
			if !formats(x) || len(x.Args) == 0 {
				return false
			}
			e = x.Args[0]
			continue
		case *ast.BasicLit:
			return x.Kind == token.STRING && strings.HasPrefix(x.Value, `" `) && tail.MatchString(strings.Trim(x.Value, "`\""))
		}
		return false
	}
}

func constantsOf(file *ast.File) map[string]bool {
	names := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if decl, ok := n.(*ast.GenDecl); ok && decl.Tok == token.CONST {
			for _, spec := range decl.Specs {
				if values, ok := spec.(*ast.ValueSpec); ok {
					for _, name := range values.Names {
						names[name.Name] = true
					}
				}
			}
		}
		return true
	})
	return names
}
