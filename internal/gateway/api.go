package gateway

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/aldaba-chat/aldaba/internal/chat"
	"github.com/aldaba-chat/aldaba/internal/conversation"
	"github.com/aldaba-chat/aldaba/internal/identity"
	"github.com/aldaba-chat/aldaba/internal/policy"
	"github.com/aldaba-chat/aldaba/internal/seal"
	"github.com/aldaba-chat/aldaba/internal/wire"
)

const (
	bodyLimit = 65 << 10 // bytes: the longest grant; an epoch with 16 wraps and key objects has 45,000
	listLimit = 40       // objects in one request
)

// api answers what the specification's section 5 lists.
type api struct {
	Options
	sessions *sessions
	muxes    map[place]*http.ServeMux
}

// route is one address below /v1/.
type route struct {
	pattern string
	on      []place         // the hosts that have it
	may     []policy.Action // one of them lets a request in
	handle  func(*api, http.ResponseWriter, *http.Request) error
}

var both, visitors, devices = []place{chatHost, consoleHost}, []place{chatHost}, []place{consoleHost}

func may(actions ...policy.Action) []policy.Action { return actions }

var routes = []route{
	{"GET /v1/site", both, may(policy.SeeSite), (*api).site},
	{"GET /v1/trust", both, may(policy.SeeTrust), (*api).trust},
	{"POST /v1/challenges", both, may(policy.Prove), (*api).challenge},
	{"POST /v1/sessions", both, may(policy.Prove), (*api).session},
	{"POST /v1/tickets", both, may(policy.TakeTicket), (*api).ticket},
	{"GET /v1/socket", both, may(policy.Connect), (*api).socket},
	{"POST /v1/conversations", visitors, may(policy.Begin), (*api).begin},
	{"GET /v1/conversations/{conv}/entries", both, may(policy.ReadEntries, policy.Accept), (*api).entries},
	{"POST /v1/conversations/{conv}/entries", both, may(policy.AppendEntry, policy.Accept), (*api).append},
	{"GET /v1/conversations/{conv}/place", visitors, may(policy.SeePlace), (*api).place},
	{"POST /v1/conversations/{conv}/typing", both, may(policy.Typing), (*api).typing},
	{"GET /v1/queue", devices, may(policy.SeeQueue), (*api).queue},
	{"POST /v1/enrolments", devices, may(policy.Enrol), (*api).enrol},
	{"GET /v1/enrolments/{id}", devices, may(policy.Enrol), (*api).enrolment},
	{"POST /v1/keyobjects", devices, may(policy.HandInKey), (*api).keyObject},
	{"GET /v1/department-keys", devices, may(policy.SeeDepartmentKeys), (*api).departmentKeys},
}

func newAPI(o Options) *api {
	a := &api{Options: o, sessions: newSessions(o.Now), muxes: map[place]*http.ServeMux{}}
	for _, at := range both {
		a.muxes[at] = http.NewServeMux()
	}
	for _, route := range routes {
		for _, at := range route.on {
			a.muxes[at].HandleFunc(route.pattern, a.run(route))
		}
	}
	return a
}

// run lets a request through the door and to its handler.
func (a *api) run(route route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		admitted, err := a.admit(r, route.may)
		if err == nil {
			err = route.handle(a, w, admitted)
		}
		if err != nil {
			a.refuse(w, r, err)
		}
	}
}

var errForeign = &chat.Error{Kind: chat.KindDenied, Field: "Origin", Message: "this server answers to its own pages only"}

// ownOrigin refuses what a page of another origin sent. A browser sends Origin
// with every request that writes and with every WebSocket.
func (h Hosts) ownOrigin(r *http.Request) error {
	origin := r.Header.Get("Origin")
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	if origin == "" && reads && r.Header.Get("Upgrade") == "" || origin == h.originOf(r) {
		return nil
	}
	return errForeign
}

// serve answers a request below /v1/.
func (a *api) serve(w http.ResponseWriter, r *http.Request, at place) {
	w.Header().Set("Cache-Control", "no-store")
	if err := a.Hosts.ownOrigin(r); err != nil {
		a.refuse(w, r, err)
		return
	}
	mux := a.muxes[at]
	if _, pattern := mux.Handler(r); pattern == "" {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			other := r.Clone(r.Context())
			other.Method = method
			if _, p := mux.Handler(other); p != "" {
				w.Header().Set("Allow", method)
				wrongMethod.write(w)
				return
			}
		}
		notFound.write(w)
		return
	}
	mux.ServeHTTP(w, r)
}

var errNoSession = &chat.Error{Kind: chat.KindDenied, Code: "no_session", Field: "Cookie", Message: "there is no session: prove your key and try again"}

var errCrowd = &chat.Error{Kind: chat.KindRateLimited, Message: "too many people are here at once: try again in a minute"}

// list reads a request's objects: low to high of them.
func (a *api) list(w http.ResponseWriter, r *http.Request, low, high int) ([][]byte, error) {
	if r.Header.Get("Content-Type") != wire.ContentType {
		return nil, chat.Invalid("Content-Type", "a list of objects is "+wire.ContentType)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyLimit))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, &chat.Error{Kind: chat.KindTooLarge, Field: "body", Limit: bodyLimit, Message: "the request has too many bytes"}
		}
		return nil, chat.Invalid("body", "the request ended before its body").Because(err)
	}
	objects, err := wire.ReadList(body, high)
	if err == nil && len(objects) < low {
		err = &chat.Error{Kind: chat.KindInvalid, Field: "body", Limit: int64(low), Message: "the list has too few objects"}
	}
	return objects, err
}

func (a *api) sendList(w http.ResponseWriter, status int, objects ...[]byte) {
	h := w.Header()
	body := wire.AppendList(nil, objects...)
	h.Set("Content-Type", wire.ContentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func (a *api) sendJSON(w http.ResponseWriter, status int, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
	return nil
}

// organisation gives the organisation's identifier, once there is one.
func (a *api) organisation() (string, bool) {
	trust := a.Directory.Trust()
	if trust == nil {
		return "", false
	}
	org := trust.Org()
	return wire.Text(org[:]), true
}

func (a *api) trust(w http.ResponseWriter, r *http.Request) error {
	bundle, err := a.Directory.Bundle(r.Context())
	if err != nil {
		return err
	}
	a.sendList(w, http.StatusOK, bundle...)
	return nil
}

func (a *api) challenge(w http.ResponseWriter, _ *http.Request) error {
	c := a.sessions.challenge()
	w.Header().Set("Content-Type", wire.ContentType)
	_, _ = w.Write(c[:])
	return nil
}

// prove checks a session proof by the key that keyOf finds for its owner.
func (a *api) prove(object []byte, keyOf func(owner [32]byte) ([32]byte, error)) (owner [32]byte, err error) {
	trust := a.Directory.Trust()
	if trust == nil {
		return owner, errNoSession
	}
	proof := new(seal.Session)
	if err := seal.Parse(object, proof); err != nil {
		return owner, err
	}
	if !a.sessions.spend(proof.Challenge) {
		return owner, seal.ErrNoSession.Because("the challenge has ended or was used: ask for another")
	}
	key, err := keyOf(proof.Owner)
	if err != nil {
		return owner, err
	}
	now := uint64(max(0, a.Now().UnixMilli()))
	return proof.Owner, proof.Check(trust.Org(), proof.Challenge, key, now)
}

// proven answers a proof: the browser's cookie holds the session from then on.
type proven struct {
	Expires int64   `json:"expires"` // milliseconds since 1970
	Seq     *uint64 `json:"seq,omitzero"`
}

func (a *api) session(w http.ResponseWriter, r *http.Request) error {
	objects, err := a.list(w, r, 1, 1)
	if err != nil {
		return err
	}
	visitor := false
	owner, err := a.prove(objects[0], func(owner [32]byte) ([32]byte, error) {
		if x, err := a.Directory.Device(owner); err == nil {
			return x.SigKey, a.belongs(r, x.SigKey)
		} else if trust := a.Directory.Trust(); trust != nil && trust.Certificate(owner) != nil {
			return [32]byte{}, err
		}
		visitor = true
		return a.Conversations.VisitorKey(r.Context(), owner)
	})
	if err != nil {
		return err
	}
	until, err := a.remember(w, r, session{owner, visitor})
	if err != nil {
		return err
	}
	return a.sendJSON(w, http.StatusOK, proven{Expires: until.UnixMilli()})
}

// belongs refuses a device whose account is not the one that is signed in here.
func (a *api) belongs(r *http.Request, key [32]byte) error {
	who, err := a.Staff.Who(r.Context(), cookieOf(r, staffCookie))
	if err != nil {
		return err
	}
	account, err := a.Staff.DeviceOf(r.Context(), key)
	if err == nil && account != who.ID {
		err = errAnothers
	}
	return err
}

var errAnothers = &chat.Error{Kind: chat.KindDenied, Code: "device_of_another", Message: "this browser belongs to somebody else: use another browser or another profile"}

// remember adds a proven key to the browser's session.
func (a *api) remember(w http.ResponseWriter, r *http.Request, who session) (until time.Time, err error) {
	brought := cookieOf(r, sessionCookie)
	secret, until, ok := a.sessions.prove(brought, who)
	if !ok {
		return until, errCrowd
	}
	if secret != brought {
		http.SetCookie(w, newCookie(sessionCookie, secret, a.Hosts.placeOf(r)))
	}
	return until, nil
}

// ticket opens one connection of the socket, for a conversation's visitor or
// for the device.
func (a *api) ticket(w http.ResponseWriter, r *http.Request) error {
	who := askedOf(r).who
	secret, ok := a.sessions.issue(session{who.Key, who.Role == chat.RoleVisitor})
	if !ok {
		return errCrowd
	}
	return a.sendJSON(w, http.StatusOK, struct {
		Ticket string `json:"ticket"`
	}{secret})
}

// begin takes proof, genesis, key object, epoch 0 and wraps.
func (a *api) begin(w http.ResponseWriter, r *http.Request) error {
	objects, err := a.list(w, r, 5, listLimit)
	if err != nil {
		return err
	}
	genesis := new(seal.Genesis)
	if err := seal.Parse(objects[1], genesis); err != nil {
		return err
	}
	owner, err := a.prove(objects[0], func(owner [32]byte) ([32]byte, error) {
		if owner != genesis.Hash() {
			return owner, seal.ErrNoSession.Because("the proof is for another conversation")
		}
		return genesis.SigKey, nil
	})
	if err != nil {
		return err
	}
	receipt, err := a.Conversations.Begin(r.Context(), r.URL.Query().Get("site"), objects[1], objects[2], objects[3], objects[4:])
	if err != nil {
		return err
	}
	until, err := a.remember(w, r, session{owner, true})
	if err != nil {
		return err
	}
	return a.sendJSON(w, http.StatusCreated, proven{Expires: until.UnixMilli(), Seq: &receipt.Seq})
}

func (a *api) entries(w http.ResponseWriter, r *http.Request) error {
	q := askedOf(r)
	from := uint64(0)
	if query := r.URL.Query(); query.Has("after") {
		after, err := strconv.ParseUint(query.Get("after"), 10, 53)
		if err != nil {
			return chat.Invalid("after", "after is the sequence of an entry, from 0")
		}
		from = after + 1
	}
	page, err := a.Conversations.Entries(r.Context(), q.who, q.conv, from)
	if err != nil {
		return err
	}
	a.sendList(w, http.StatusOK, append(page.Entries, page.Extras...)...)
	return nil
}

func (a *api) append(w http.ResponseWriter, r *http.Request) error {
	q := askedOf(r)
	objects, err := a.list(w, r, 1, listLimit)
	if err != nil {
		return err
	}
	var keys, wraps [][]byte
	for _, object := range objects[1:] {
		switch kind := seal.KindOf(object); kind {
		case seal.KindKeyObject:
			keys = append(keys, object)
		case seal.KindWrap:
			wraps = append(wraps, object)
		default:
			return seal.ErrBadKind.Because("key objects and wraps were expected, this is a %s", kind)
		}
	}
	receipt, err := a.Conversations.Append(r.Context(), q.who, q.conv, objects[0], keys, wraps)
	if err != nil {
		return err
	}
	status := http.StatusCreated
	if receipt.Again {
		status = http.StatusOK
	}
	return a.sendJSON(w, status, struct {
		Seq uint64 `json:"seq"`
		At  int64  `json:"at"`
	}{receipt.Seq, receipt.At})
}

func (a *api) queue(w http.ResponseWriter, r *http.Request) error {
	departments, items, err := a.Conversations.Queue(r.Context(), askedOf(r).who)
	if err != nil {
		return err
	}
	type item struct {
		Conv   string   `json:"conv"`
		Dept   string   `json:"dept"`
		Seq    uint64   `json:"seq"`
		At     int64    `json:"at"`
		Since  int64    `json:"since"`
		State  string   `json:"state"`
		Agents []string `json:"agents"`
	}
	answer := struct {
		Departments   []string `json:"departments"`
		Conversations []item   `json:"conversations"`
	}{[]string{}, []item{}}
	for _, dept := range departments {
		answer.Departments = append(answer.Departments, wire.Text(dept[:]))
	}
	for _, i := range items {
		state := "waiting"
		switch {
		case i.State == conversation.Closed:
			state = "closed"
		case i.Mine:
			state = "mine"
		case i.State == conversation.Taken:
			state = "team"
		}
		answer.Conversations = append(answer.Conversations, item{
			wire.Text(i.Conv[:]), wire.Text(i.Dept[:]), i.Seq, i.At, i.Since, state, i.Agents,
		})
	}
	return a.sendJSON(w, http.StatusOK, answer)
}

func (a *api) enrol(w http.ResponseWriter, r *http.Request) error {
	objects, err := a.list(w, r, 2, 2)
	if err != nil {
		return err
	}
	who, err := a.Staff.Who(r.Context(), cookieOf(r, staffCookie))
	if err != nil {
		return err
	}
	id, err := a.Directory.Request(r.Context(), objects[0], objects[1], func(key [32]byte) error {
		return a.Staff.BindDevice(r.Context(), who.ID, key)
	})
	if err != nil {
		return err
	}
	return a.sendJSON(w, http.StatusAccepted, struct {
		ID string `json:"id"`
	}{wire.Text(id[:])})
}

func (a *api) enrolment(w http.ResponseWriter, r *http.Request) error {
	id, err := wire.ReadHash("id", r.PathValue("id"))
	if err != nil {
		return err
	}
	certificate, err := a.Directory.Certificate(r.Context(), id)
	if err != nil {
		return err
	}
	if certificate == nil {
		a.sendList(w, http.StatusOK)
		return nil
	}
	a.sendList(w, http.StatusOK, certificate)
	return nil
}

func (a *api) keyObject(w http.ResponseWriter, r *http.Request) error {
	device, err := a.Directory.Device(askedOf(r).who.Key)
	if err != nil {
		return err
	}
	objects, err := a.list(w, r, 1, 1)
	if err != nil {
		return err
	}
	if err := a.Directory.AddKeyObject(r.Context(), device, objects[0]); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *api) departmentKeys(w http.ResponseWriter, r *http.Request) error {
	keys, err := a.Directory.DepartmentKeys(r.Context(), askedOf(r).who.Key)
	if err != nil {
		return err
	}
	a.sendList(w, http.StatusOK, keys...)
	return nil
}

func (a *api) socket(w http.ResponseWriter, r *http.Request) error {
	if r.Header.Get("Origin") == "" {
		return errForeign
	}
	a.Socket.ServeHTTP(w, r)
	return nil
}

// Forget ends what a device has proven, in whatever browser.
func (g *Gateway) Forget(device [32]byte) { g.api.sessions.forget(device) }

// Owner is for whom a ticket opens a connection; it is good once.
func (g *Gateway) Owner(ticket string) (owner [32]byte, visitor bool, err error) {
	s, ok := g.api.sessions.redeem(ticket)
	if !ok {
		return owner, false, errNoSession
	}
	_, err = g.api.Directory.Actor(s.owner, s.visitor)
	return s.owner, s.visitor, err
}

// refuse answers with problem details whose texts are ours: a rule of the
// specification, or a [*chat.Error]. Anything else stays in the log.
func (a *api) refuse(w http.ResponseWriter, r *http.Request, err error) {
	p := a.problemOf(r.Pattern, err)
	body, err := json.Marshal(p)
	if err != nil {
		a.Log.Error("a refusal could not be written", "error", err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(p.Status)
	_, _ = w.Write(body)
}

// details is a refusal as problem details (RFC 9457).
type details struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Code   string `json:"code"`
	Rule   string `json:"rule,omitempty"`
	Detail string `json:"detail"`
	Field  string `json:"field,omitempty"`
	Limit  int64  `json:"limit,omitzero"`
}

// problemOf turns an error into what the outside may know of it, and logs what
// it may not.
func (a *api) problemOf(where string, err error) *details {
	p := &details{
		Type: "about:blank", Status: http.StatusInternalServerError, Code: "internal",
		Detail: "Something failed inside the server: its log says what.",
	}
	if refusal, ok := errors.AsType[seal.Refusal](err); ok {
		p.Status, p.Code, p.Rule, p.Detail = http.StatusUnprocessableEntity, refusal.Code, refusal.Rule, refusal.Sentence
		if p.Rule == seal.ErrNoSession.Rule {
			p.Status = http.StatusUnauthorized
		}
	} else if e, ok := errors.AsType[*chat.Error](err); ok {
		p.Status, p.Code, p.Detail, p.Field, p.Limit = statusOf(e.Kind), e.Name(), e.Error(), e.Field, e.Limit
		if e == errNoSession || e == identity.ErrNoSession {
			p.Status = http.StatusUnauthorized
		}
	}
	if p.Status == http.StatusInternalServerError {
		a.Log.Error("a request failed", "path", where, "error", err)
	}
	p.Title = http.StatusText(p.Status)
	return p
}

func statusOf(k chat.Kind) int {
	switch k {
	case chat.KindInvalid:
		return http.StatusBadRequest
	case chat.KindDenied:
		return http.StatusForbidden
	case chat.KindNotFound:
		return http.StatusNotFound
	case chat.KindConflict:
		return http.StatusConflict
	case chat.KindTooLarge:
		return http.StatusRequestEntityTooLarge
	case chat.KindRateLimited:
		return http.StatusTooManyRequests
	case chat.KindUnavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}
