package aldabatest

import (
	"testing"
)

// The life of a message, hop by hop, as ARCHITECTURE.md draws it: sealed by a
// visitor, taken, ordered and stored by the real server, opened by an agent,
// and the other way; a restart changes nothing, and no file of the data has the
// text [S6, S7] (T04, first half).
func TestLifeOfAMessage(t *testing.T) {
	w := Start(t)
	visitor := w.Visitor()
	visitor.Says("mi tarjeta termina en 4921")

	ana := w.Agent("Ana")
	ana.Accepts(visitor)
	ana.Sees("mi tarjeta termina en 4921")
	ana.Says("le ayudo enseguida")
	visitor.Sees("mi tarjeta termina en 4921", "le ayudo enseguida")

	w.Restart()
	visitor.Proves()
	ana.Proves()
	visitor.Says("gracias")
	ana.Opens(visitor.conv)
	ana.Sees("mi tarjeta termina en 4921", "le ayudo enseguida", "gracias")
	ana.Closes()

	w.Stop()
	for _, text := range []string{"4921", "enseguida", "gracias"} {
		if w.DataHolds([]byte(text)) {
			t.Errorf("the data folder has the text %q", text)
		}
	}
	conv := visitor.conv
	if !w.DataHolds(conv[:]) {
		t.Error("the search is blind: it does not find the conversation's name either")
	}
}
