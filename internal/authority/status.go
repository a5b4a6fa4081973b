package authority

import (
	"cmp"
	"slices"

	"github.com/aldaba-chat/aldaba/internal/seal"
)

// Level says how near a key's end is.
type Level string

// The levels. The first threshold, 30 days, says nothing of a key that lasts
// no longer than that.
const (
	LevelGood   Level = "good"
	LevelSoon   Level = "soon"   // at most 30 days
	LevelWarn   Level = "warn"   // at most 7 days
	LevelUrgent Level = "urgent" // at most 1 day
	LevelEnded  Level = "ended"
)

// Row is the end of one key.
type Row struct {
	What  string `json:"what"` // "enroller", "department", "server" or "device"
	Name  string `json:"name"`
	Ends  uint64 `json:"ends"`
	Left  int    `json:"daysLeft"` // whole days
	Level Level  `json:"level"`
}

// Warnings gives the end of every key that is in use, the nearest first.
func (o *Office) Warnings(now uint64) []Row {
	var rows []Row
	add := func(what, name string, from, ends uint64) {
		rows = append(rows, Row{what, name, ends, int(left(ends, now) / seal.Day), level(from, ends, now)}) //nolint:gosec // days
	}
	issuer, _ := o.issuer()
	add("enroller", issuer.Name, issuer.NotBefore, issuer.NotAfter)
	for i := range o.state.Departments {
		d := &o.state.Departments[i]
		k := mine[seal.KeyObject](d.newest().KeyObject)
		add("department", d.Name, k.NotBefore, k.NotAfter)
	}
	for i := range o.state.Devices {
		if d := &o.state.Devices[i]; !d.Revoked {
			x := d.certificate()
			what := "device"
			if x.Kind == seal.Server {
				what = "server"
			}
			add(what, x.Name, x.NotBefore, x.NotAfter)
		}
	}
	slices.SortStableFunc(rows, func(a, b Row) int { return cmp.Compare(a.Ends, b.Ends) })
	return rows
}

func left(ends, now uint64) uint64 { return max(ends, now) - now }

func level(from, ends, now uint64) Level {
	switch rest := left(ends, now); {
	case rest == 0:
		return LevelEnded
	case rest <= seal.Day:
		return LevelUrgent
	case rest <= 7*seal.Day:
		return LevelWarn
	case rest <= 30*seal.Day && ends-from > 30*seal.Day:
		return LevelSoon
	}
	return LevelGood
}

// Device is one that was certified.
type Device struct {
	Certificate [32]byte // hash of the newest
	Name        string
	Title       string
	Role        seal.Role
	Departments [][16]byte
	Ends        uint64
	Revoked     bool
	HasKeys     bool // its key object came, so that it has its departments' keys
}

// Devices lists who was certified, the first one first.
func (o *Office) Devices() []Device {
	var all []Device
	for i := range o.state.Devices {
		d := &o.state.Devices[i]
		x := d.certificate()
		all = append(all, Device{
			Certificate: x.Hash(), Name: x.Name, Title: x.Title, Role: x.Kind, Departments: x.Departments,
			Ends: x.NotAfter, Revoked: d.Revoked, HasKeys: len(d.KeyObject) > 0,
		})
	}
	return all
}

// Pending is an invitation that nobody has used and that has not ended.
type Pending struct {
	Name string
	Role seal.Role
	Ends uint64
}

// Pending lists the invitations that are open.
func (o *Office) Pending(now uint64) []Pending {
	var open []Pending
	for _, i := range o.state.Invitations {
		if !i.Used && now <= i.Ends {
			open = append(open, Pending{i.Name, i.Role, i.Ends})
		}
	}
	return open
}

// Waiting is how many deliveries to the server have not been made.
func (o *Office) Waiting() int { return len(o.state.Outbox) }
