package main

import (
	"encoding/json"
	"fmt"
	"sync"

	"github.com/gorilla/websocket"
	"github.com/pion/webrtc"
)

// room is a membership in a room of the signaling protocol asiortc.v1.
type room struct {
	socket  *websocket.Conn
	writing sync.Mutex
	id      int
	host    int
	gone    chan struct{} // closed when `follow` has ended
}

// signal is what peers say to each other: a description, a candidate, or nothing, which ends the
// candidates.
type signal struct {
	Description *webrtc.SessionDescription `json:"description"`
	Candidate   *webrtc.ICECandidateInit   `json:"candidate"`
}

// message is any message of the server; the fields that its type does not have are zero.
type message struct {
	Type    string `json:"type"`
	ID      int    `json:"id"`
	Host    int    `json:"host"`
	From    int    `json:"from"`
	Data    signal `json:"data"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

type object map[string]any

func join(url, name, as string) (*room, error) {
	dialer := websocket.Dialer{Subprotocols: []string{"asiortc.v1"}}
	socket, _, err := dialer.Dial(url, nil)
	if err != nil {
		return nil, fmt.Errorf("no signaling server at %s: %w", url, err)
	}
	joined := &room{socket: socket, gone: make(chan struct{})}
	if err := joined.tell(object{"type": "join", "room": name, "name": as}); err != nil {
		return nil, err
	}
	answer, err := joined.next()
	if err != nil {
		return nil, err
	}
	if answer.Type != "joined" {
		return nil, fmt.Errorf("%s instead of joined", answer.Type)
	}
	joined.id, joined.host = answer.ID, answer.Host
	return joined, nil
}

// tell may be called from any goroutine.
func (r *room) tell(what object) error {
	r.writing.Lock()
	defer r.writing.Unlock()
	return r.socket.WriteJSON(what)
}

func (r *room) signal(to int, data object) error {
	return r.tell(object{"type": "signal", "to": to, "data": data})
}

// next waits for a message of the server; an `error` message is returned as an error.
func (r *room) next() (message, error) {
	var got message
	_, text, err := r.socket.ReadMessage()
	if err != nil {
		return got, err
	}
	if err := json.Unmarshal(text, &got); err != nil {
		return got, err
	}
	if got.Type == "error" {
		return got, fmt.Errorf("%s: %s", got.Code, got.Message)
	}
	return got, nil
}

// follow hands every message to a function until the socket is closed.
func (r *room) follow(handle func(message)) {
	defer close(r.gone)
	for {
		got, err := r.next()
		if err != nil {
			if !websocket.IsCloseError(err, websocket.CloseNormalClosure) {
				say("the room ended: %v", err)
			}
			return
		}
		handle(got)
	}
}

// leave says so, and the server closes the socket.
func (r *room) leave() {
	_ = r.tell(object{"type": "leave"})
	<-r.gone
	_ = r.socket.Close()
}
