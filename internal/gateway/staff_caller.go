package gateway

import (
	"context"
	"errors"
	"net"
	"net/http"

	"github.com/aldaba-chat/aldaba/internal/chat"
	"github.com/aldaba-chat/aldaba/internal/identity"
	"github.com/aldaba-chat/aldaba/internal/policy"
)

// staffCookie holds the token of a signed-in person's session, which
// internal/identity keeps and changes with each step of a sign-in. It is another
// cookie than the one of proven keys: those come and go, this one ends.
const staffCookie = "__Host-aldaba-staff"

// caller is who sends a request of the staff's pages.
type caller struct {
	w       http.ResponseWriter
	token   string
	address string
	origin  string // of the staff's pages, for links
	local   bool   // through the control socket: whoever can open it has the data
}

type callerKey struct{}

func withCaller(ctx context.Context, c *caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// callerOf gives the caller that serveStaff or Control has put there; a handler
// that is called without one is called by nobody.
func callerOf(ctx context.Context) *caller {
	if c, ok := ctx.Value(callerKey{}).(*caller); ok {
		return c
	}
	return &caller{}
}

func (g *Gateway) callerFrom(w http.ResponseWriter, r *http.Request) *caller {
	address, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		address = r.RemoteAddr
	}
	origin := "http://" + r.Host // a name of this machine, which was checked
	if g.hosts.Console != "" && r.Host == hostOf(g.hosts.Console) {
		origin = g.hosts.Console
	}
	return &caller{w: w, token: cookieOf(r, staffCookie), address: address, origin: origin}
}

// keep gives the browser a token; "" takes it away.
func (c *caller) keep(token string) {
	if c.w == nil {
		return
	}
	cookie := newCookie(staffCookie, token, consoleHost) //nolint:gosec // G124: newCookie sets all of them
	if token == "" {
		cookie.MaxAge = -1
	}
	http.SetCookie(c.w, cookie)
}

var errMayNot = &chat.Error{Kind: chat.KindDenied, Message: "your role may not do this: ask an administrator"}

// enter asks the one door whether the caller may do what an operation does, and
// gives the account, which is zero for a stranger and for the control socket.
func (s *staff) enter(ctx context.Context, action policy.Action) (identity.Account, error) {
	c := callerOf(ctx)
	var who identity.Account
	actor := policy.Actor{}
	if c.local {
		actor.Role = chat.RoleAdministrator
	} else if c.token != "" {
		var err error
		who, err = s.Staff.Who(ctx, c.token)
		switch {
		case err == nil:
			actor.Role, actor.Departments = who.Role, who.Departments
		case !errors.Is(err, identity.ErrNoSession):
			return who, err
		}
	}
	d := s.Policy.Decide(policy.Request{Actor: actor, Action: action})
	switch {
	case d.Err != nil:
		return who, d.Err
	case d.Allowed:
		return who, nil
	case actor.Role == 0:
		return who, identity.ErrNoSession
	}
	return who, errMayNot
}

// Control serves the operations of the staff's pages to whoever can open the
// server's control socket: the commands of `aldaba user`. Links lead to origin.
func (g *Gateway) Control(origin string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.staff == nil {
			notFound.write(w)
			return
		}
		c := &caller{address: "control socket", origin: origin, local: true}
		g.staff.answer(w, r.WithContext(withCaller(r.Context(), c)))
	})
}
