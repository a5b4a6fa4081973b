package gateway

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/aldaba-chat/aldaba/internal/chat"
	"github.com/aldaba-chat/aldaba/internal/directory"
	"github.com/aldaba-chat/aldaba/internal/identity"
	"github.com/aldaba-chat/aldaba/internal/policy"
	"github.com/aldaba-chat/aldaba/internal/presence"
)

// longWait is how long a visitor waits before a supervisor is alerted.
const longWait = 2 * time.Minute

// presenceBody is how a person is seen.
type presenceBody struct {
	State  string `json:"state" enum:"online,away,invisible,offline"`
	Reason string `json:"reason,omitempty" doc:"of being away"`
}

func showPresence(p presence.Presence) presenceBody {
	return presenceBody{string(p.State), p.Reason}
}

// queueBody is the line of one department.
type queueBody struct {
	Department string `json:"department" doc:"its id"`
	Waiting    int    `json:"waiting"`
	Oldest     int64  `json:"oldest" doc:"since when the first waits, milliseconds since 1970; 0 when nobody does"`
}

// agentBody is somebody who answers.
type agentBody struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	State  string `json:"state" enum:"online,away,invisible,offline"`
	Reason string `json:"reason,omitempty" doc:"of being away"`
	Open   int    `json:"open" doc:"conversations"`
	Cap    int    `json:"cap"`
}

// alertBody is what a supervisor should look at.
type alertBody struct {
	Kind string `json:"kind" enum:"wait,nobody" doc:"wait: a visitor waits long; nobody: one waits and nobody is online"`
	At   int64  `json:"at" doc:"since when, milliseconds since 1970"`
	Who  string `json:"who,omitempty" doc:"the department's name"`
}

type supervisionBody struct {
	Queue  []queueBody `json:"queue"`
	Agents []agentBody `json:"agents"`
	Alerts []alertBody `json:"alerts"`
}

// supervisionOperations are how people are seen, and the supervisor's page.
func (s *staff) supervisionOperations() {
	type choice struct {
		Body struct {
			State  string `json:"state" enum:"online,away,invisible"`
			Reason string `json:"reason,omitempty" maxLength:"400" doc:"of being away"`
		}
	}
	type chosen struct{ Body presenceBody }
	register(s, operation{method: http.MethodPut, path: "/api/me/presence", action: policy.SetPresence, summary: "How one is seen while one is there"},
		func(ctx context.Context, in *choice) (*chosen, error) {
			who, err := s.Staff.Who(ctx, callerOf(ctx).token)
			if err != nil {
				return nil, err
			}
			p := presence.Presence{State: presence.State(in.Body.State), Reason: in.Body.Reason}
			if err := s.Presence.Choose(who.ID, p); err != nil {
				return nil, err
			}
			return &chosen{showPresence(p)}, nil
		})
	type answer struct{ Body supervisionBody }
	register(s, operation{method: http.MethodGet, path: "/api/supervision", action: policy.Supervise, summary: "Queue, people and alerts of one's departments"},
		func(ctx context.Context, _ *struct{}) (*answer, error) {
			who, err := s.Staff.Who(ctx, callerOf(ctx).token)
			if err != nil {
				return nil, err
			}
			b := supervisionBody{Queue: []queueBody{}, Agents: []agentBody{}, Alerts: []alertBody{}}
			for _, d := range s.Directory.Departments() {
				if slices.Contains(who.Departments, d.ID) {
					if err := s.superviseLine(ctx, &b, d); err != nil {
						return nil, err
					}
				}
			}
			people, err := s.Staff.People(ctx)
			if err != nil {
				return nil, err
			}
			for _, p := range people {
				one, mine, err := s.superviseAgent(ctx, p, who.Departments)
				if err != nil {
					return nil, err
				}
				if mine {
					b.Agents = append(b.Agents, one)
				}
			}
			return &answer{b}, nil
		})
}

func (s *staff) superviseLine(ctx context.Context, b *supervisionBody, d directory.Department) error {
	waiting, oldest, err := s.Conversations.Line(ctx, d.ID)
	if err != nil {
		return err
	}
	of := showDepartment(d)
	b.Queue = append(b.Queue, queueBody{Department: of.ID, Waiting: waiting, Oldest: oldest})
	if waiting == 0 {
		return nil
	}
	if !s.Presence.Open(d.ID) {
		b.Alerts = append(b.Alerts, alertBody{Kind: "nobody", At: oldest, Who: d.Name})
	}
	if s.Now().UnixMilli()-oldest >= longWait.Milliseconds() {
		b.Alerts = append(b.Alerts, alertBody{Kind: "wait", At: oldest, Who: d.Name})
	}
	return nil
}

// superviseAgent shows a person who answers in one of the departments.
func (s *staff) superviseAgent(ctx context.Context, p identity.Person, departments [][16]byte) (one agentBody, mine bool, err error) {
	if p.State != identity.Active || p.Role == chat.RoleAdministrator {
		return one, false, nil
	}
	seen := showPresence(s.Presence.Of(p.ID))
	one = agentBody{ID: p.ID.String(), Name: p.Name, State: seen.State, Reason: seen.Reason}
	ours := slices.DeleteFunc(slices.Clone(p.Departments), func(d [16]byte) bool { return !slices.Contains(departments, d) })
	if len(ours) == 0 {
		return one, false, nil
	}
	one.Cap = s.capOf(p.Cap, ours)
	keys, err := s.Staff.DevicesOf(ctx, p.ID)
	if err != nil {
		return one, false, err
	}
	one.Open, err = s.openOf(ctx, keys)
	return one, true, err
}

// capOf is how many conversations somebody takes at once: their own number, or
// the largest of their departments'.
func (s *staff) capOf(own int, departments [][16]byte) int {
	if own > 0 {
		return own
	}
	for _, d := range departments {
		own = max(own, s.Offices.Cap(d))
	}
	return own
}

// openOf counts what the devices of one account have open: their certificates
// name the person.
func (s *staff) openOf(ctx context.Context, keys [][32]byte) (open int, err error) {
	trust := s.Directory.Trust()
	if trust == nil {
		return 0, nil
	}
	var counted [][16]byte
	for _, key := range keys {
		for _, x := range trust.CertificatesOf(key) {
			if slices.Contains(counted, x.Subject) {
				continue
			}
			counted = append(counted, x.Subject)
			_, inAll, err := s.Conversations.Load(ctx, x.Subject, [16]byte{})
			if err != nil {
				return open, err
			}
			open += inAll
		}
	}
	return open, nil
}
