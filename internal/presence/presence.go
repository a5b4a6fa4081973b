// Package presence knows who of the staff is there. A person is there while a
// socket of one of their devices is connected, and has chosen how to be seen.
// All of it is in memory: after a restart the devices connect again, and
// everybody is seen as online until they choose anew.
package presence

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/aldaba-chat/aldaba/internal/chat"
)

// State is how a person is seen.
type State string

// The states. Offline is nobody's choice: it is seen while no device is connected.
const (
	Online    State = "online"
	Away      State = "away"
	Invisible State = "invisible" // works, but visitors are not told that somebody is there
	Offline   State = "offline"
)

// longestReason is in characters.
const longestReason = 80

// Presence is how one person is seen, and why.
type Presence struct {
	State  State
	Reason string // of being away
}

// Board keeps the presence of everybody. Its zero value is empty and ready; its
// methods are safe for concurrent use.
type Board struct {
	mu      sync.Mutex
	chosen  map[chat.StaffID]Presence
	devices map[[32]byte]*device
}

// device is one certified device with at least one socket.
type device struct {
	person      chat.StaffID
	departments [][16]byte
	sockets     int
}

// Choose sets how a person is seen while they are there.
func (b *Board) Choose(person chat.StaffID, p Presence) error {
	switch p.State {
	case Online, Away, Invisible:
	default:
		return chat.Invalid("state", fmt.Sprintf("a person chooses among %s, %s and %s", Online, Away, Invisible))
	}
	if p.Reason != "" && p.State != Away {
		return chat.Invalid("reason", "only who is away gives a reason")
	}
	n := utf8.RuneCountInString(p.Reason)
	if n > longestReason || strings.ContainsFunc(p.Reason, func(r rune) bool { return unicode.Is(unicode.C, r) || r == unicode.ReplacementChar }) {
		return &chat.Error{Kind: chat.KindInvalid, Field: "reason", Limit: longestReason, Message: fmt.Sprintf("a reason is one line of at most %d characters", longestReason)}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.chosen == nil {
		b.chosen = map[chat.StaffID]Presence{}
	}
	b.chosen[person] = p
	return nil
}

// Connected counts a socket of a person's device, which works for departments.
func (b *Board) Connected(owner [32]byte, person chat.StaffID, departments [][16]byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.devices == nil {
		b.devices = map[[32]byte]*device{}
	}
	d := b.devices[owner]
	if d == nil {
		d = &device{person: person, departments: departments}
		b.devices[owner] = d
	}
	d.sockets++
}

// Disconnected takes a socket of a device away again.
func (b *Board) Disconnected(owner [32]byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if d := b.devices[owner]; d != nil {
		if d.sockets--; d.sockets == 0 {
			delete(b.devices, owner)
		}
	}
}

// Of is how a person is seen now.
func (b *Board) Of(person chat.StaffID) Presence {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, d := range b.devices {
		if d.person == person {
			return b.choice(person)
		}
	}
	return Presence{State: Offline}
}

// Choice is how a person is seen while they are there.
func (b *Board) Choice(person chat.StaffID) Presence {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.choice(person)
}

func (b *Board) choice(person chat.StaffID) Presence {
	if p, ok := b.chosen[person]; ok {
		return p
	}
	return Presence{State: Online}
}

// Open reports whether somebody of a department is online.
func (b *Board) Open(dept [16]byte) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, d := range b.devices {
		if slices.Contains(d.departments, dept) && b.choice(d.person).State == Online {
			return true
		}
	}
	return false
}
