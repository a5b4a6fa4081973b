package aldabatest

import (
	"testing"

	"github.com/aldaba-chat/aldaba/internal/seal"
)

func (p *Person) hasServer() bool {
	for _, m := range p.Seat.Epoch().Members {
		if m.Role == seal.Server {
			return true
		}
	}
	return false
}

// In an assisted department the server is a listed member and reads exactly
// what is said, over a restart too; in a sealed one it is no member and gets
// nothing. The data folder has no text of either [W1, E15, E16, E26].
func TestAssisted(t *testing.T) {
	w := Start(t)
	visitor, other := w.VisitorOf(Assisted), w.Visitor()
	if !visitor.hasServer() || other.hasServer() {
		t.Fatalf("listed in the assisted one: %v, in the sealed one: %v", visitor.hasServer(), other.hasServer())
	}
	visitor.Says("¿qué precio tiene el plan azul?")
	other.Says("mi diagnóstico es reservado")
	ana := w.Agent("Ana")
	ana.Accepts(other)
	ana.Says("lo leo solo yo")
	ana.Accepts(visitor)
	if !ana.hasServer() {
		t.Error("the server left with the accept")
	}
	ana.Says("nueve euros")
	visitor.ServerReads("¿qué precio tiene el plan azul?", "nueve euros")

	w.Restart()
	visitor.Proves()
	ana.Proves()
	visitor.Says("lo compro")
	ana.Opens(visitor.conv)
	ana.Closes()
	visitor.Catches()
	reopen, wraps, err := visitor.Seat.Change(seal.ReasonReopen, nil, now())
	visitor.Posts(reopen, wraps, err)
	visitor.Says("¿y el verde?")
	visitor.ServerReads("¿qué precio tiene el plan azul?", "nueve euros", "lo compro", "¿y el verde?")
	if texts := w.reader.of(other.conv); len(texts) > 0 {
		t.Errorf("the server reads in a sealed department: %q", texts)
	}

	w.Stop()
	for _, text := range []string{"plan azul", "nueve euros", "lo compro", "reservado"} {
		if w.DataHolds([]byte(text)) {
			t.Errorf("the data folder has the text %q", text)
		}
	}
}
