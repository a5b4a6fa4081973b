package seal

import (
	"testing"
)

func text(s string) Payload { return Payload{Type: TypeText, Text: s} }

// A visitor writes, an agent accepts and answers, and both read both.
func TestTwoPeopleTalk(t *testing.T) {
	w := newWorld(t)
	ana := w.person(20, nil)
	k := w.talk()
	event, err := k.visitor.Say(text("hola, ¿quién llama?"), w.now)
	k.post(event, nil, err)

	agent := k.seat(ana.Keys, w.deptKeys)
	epoch, wraps, err := agent.Accept(ana.keyObject.Hash(), w.now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := agent.Take(epoch, wraps, w.now, true); err != nil {
		t.Fatal(err)
	}
	k.post(epoch, wraps, nil)
	answer, err := agent.Say(text("Ana, de la oficina"), w.now)
	if line := k.post(answer, nil, err); line.Payload == nil || line.Payload.Text != "Ana, de la oficina" {
		t.Fatalf("the visitor reads %+v", line)
	}
	late := k.seat(ana.Keys, w.deptKeys)
	if late.Log() != k.visitor.Log() {
		t.Fatal("two readers of one log have two hashes")
	}
	a, _ := late.SafetyNumber()
	b, _ := k.visitor.SafetyNumber()
	if a != b || len(a) != 47 {
		t.Fatalf("safety numbers %q and %q", a, b)
	}
	end, err := k.visitor.Say(Payload{Type: TypeClose, Reason: 1}, w.now)
	k.post(end, nil, err)
	if !k.visitor.Closed() {
		t.Fatal("a close did not close")
	}
	w.now += 2 * Minute
	epoch, wraps, err = k.visitor.Change(ReasonReopen, nil, w.now)
	k.post(epoch, wraps, err)
	if k.visitor.Closed() {
		t.Fatal("a reopened conversation is closed")
	}
}
