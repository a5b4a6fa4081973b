package gateway

import (
	"context"
	"net/http"

	"github.com/aldaba-chat/aldaba/internal/policy"
	"github.com/aldaba-chat/aldaba/internal/wire"
)

// asked is who sends a request and what about, as the door was told.
type asked struct {
	who  policy.Actor
	conv [32]byte // of the address; zero for none
}

type askedKey struct{}

// askedOf is what admit has put into a request's context.
func askedOf(r *http.Request) asked {
	q, _ := r.Context().Value(askedKey{}).(asked)
	return q
}

// admit asks the door before a handler runs. What a stranger may do needs no
// session (S1); whoever has one is asked about as the visitor of the
// conversation that the address names, or else as the browser's device. One of
// the route's actions is enough: the handler asks for the very one where they
// differ. A route without any is closed to everybody.
func (a *api) admit(r *http.Request, actions []policy.Action) (*http.Request, error) {
	q := asked{}
	stranger := false
	for _, action := range actions {
		d := a.Policy.Decide(policy.Request{Action: action})
		if d.Err != nil {
			return nil, d.Err
		}
		stranger = stranger || d.Allowed
	}
	if !stranger {
		var err error
		if q.conv, err = convOf(r); err != nil {
			return nil, err
		}
		if q.who, err = a.caller(r, q.conv); err != nil {
			return nil, err
		}
		if err := a.may(r.Context(), q, actions); err != nil {
			return nil, err
		}
	}
	return r.WithContext(context.WithValue(r.Context(), askedKey{}, q)), nil
}

// may asks for one of several actions and gives the last refusal.
func (a *api) may(ctx context.Context, q asked, actions []policy.Action) error {
	err := error(errMayNot)
	for _, action := range actions {
		if action.AboutConversation() {
			err = a.Conversations.May(ctx, q.who, action, q.conv)
		} else if d := a.Policy.Decide(policy.Request{Actor: q.who, Action: action}); d.Err != nil {
			return d.Err
		} else if d.Allowed {
			return nil
		}
		if err == nil {
			return nil
		}
	}
	return err
}

// convOf is the conversation that a request names in its path or, for a ticket,
// in its query.
func convOf(r *http.Request) (conv [32]byte, err error) {
	if text := r.PathValue("conv"); text != "" {
		return wire.ReadHash("conv", text)
	}
	if query := r.URL.Query(); query.Has("conv") {
		return wire.ReadHash("conv", query.Get("conv"))
	}
	return conv, nil
}

// caller is as whom the browser's session asks.
func (a *api) caller(r *http.Request, conv [32]byte) (policy.Actor, error) {
	s, ok := a.sessions.find(cookieOf(r, sessionCookie), conv)
	if !ok {
		return policy.Actor{}, errNoSession
	}
	return a.Directory.Actor(s.owner, s.visitor)
}
