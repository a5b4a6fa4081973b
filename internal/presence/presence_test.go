package presence_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aldaba-chat/aldaba/internal/chat"
	"github.com/aldaba-chat/aldaba/internal/presence"
)

var (
	ana, luis     = chat.NewID[chat.Staff](time.UnixMilli(1)), chat.NewID[chat.Staff](time.UnixMilli(2))
	sales, claims = [16]byte{1}, [16]byte{2}
	desk, phone   = [32]byte{1}, [32]byte{2}
)

func TestBoard_FollowsSocketsAndChoices(t *testing.T) {
	var b presence.Board
	expect := func(what string, state presence.State, open bool) {
		t.Helper()
		if got := b.Of(ana).State; got != state {
			t.Errorf("%s: ana is %s, not %s", what, got, state)
		}
		if got := b.Open(sales); got != open {
			t.Errorf("%s: sales are open: %v", what, got)
		}
		if b.Open(claims) {
			t.Errorf("%s: a department is open where nobody is", what)
		}
	}
	choose := func(state presence.State, reason string) {
		t.Helper()
		if err := b.Choose(ana, presence.Presence{State: state, Reason: reason}); err != nil {
			t.Fatal(err)
		}
	}
	b.Disconnected(desk) // of nobody
	expect("nobody is there", presence.Offline, false)
	b.Connected(desk, ana, [][16]byte{sales})
	b.Connected(desk, ana, [][16]byte{sales})
	b.Connected(phone, ana, [][16]byte{sales})
	expect("three sockets of two devices", presence.Online, true)
	b.Disconnected(desk)
	b.Disconnected(phone)
	expect("one is left", presence.Online, true)
	choose(presence.Away, "comida")
	expect("away", presence.Away, false)
	if got := b.Of(ana).Reason; got != "comida" {
		t.Errorf("the reason is %q", got)
	}
	choose(presence.Invisible, "")
	expect("invisible", presence.Invisible, false)
	b.Disconnected(desk)
	expect("gone", presence.Offline, false)
	if got := b.Choice(ana).State; got != presence.Invisible {
		t.Errorf("her choice while she is gone: %s", got)
	}
	b.Connected(desk, ana, [][16]byte{sales})
	expect("back", presence.Invisible, false)
	choose(presence.Online, "")
	expect("online again", presence.Online, true)
	if got := b.Of(luis).State; got != presence.Offline {
		t.Errorf("luis is %s", got)
	}
}

func TestChoose_RefusesWhatNobodyCanBe(t *testing.T) {
	var b presence.Board
	for _, c := range []struct {
		name, field string
		choice      presence.Presence
	}{
		{"offline", "state", presence.Presence{State: presence.Offline}},
		{"nothing", "state", presence.Presence{}},
		{"another word", "state", presence.Presence{State: "busy"}},
		{"online with a reason", "reason", presence.Presence{State: presence.Online, Reason: "x"}},
		{"a reason of 81 characters", "reason", presence.Presence{State: presence.Away, Reason: strings.Repeat("ñ", 81)}},
		{"a reason of two lines", "reason", presence.Presence{State: presence.Away, Reason: "a\nb"}},
		{"a reason that is not UTF-8", "reason", presence.Presence{State: presence.Away, Reason: "\xff"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := b.Choose(ana, c.choice)
			if e, ok := errors.AsType[*chat.Error](err); !ok || e.Field != c.field {
				t.Errorf("got %v", err)
			}
			if b.Choice(ana) != (presence.Presence{State: presence.Online}) {
				t.Error("it was kept")
			}
		})
	}
}

func TestBoard_AtOnce(t *testing.T) {
	var b presence.Board
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range 200 {
				b.Connected(desk, ana, [][16]byte{sales})
				b.Open(sales)
				b.Of(ana)
				b.Disconnected(desk)
			}
		})
	}
	all.Wait()
	if b.Of(ana).State != presence.Offline {
		t.Error("a socket is left over")
	}
}
