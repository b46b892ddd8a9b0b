package main

import (
	"errors"
	"fmt"
)

const inFlight = 16

// guest is one membership in the room and its peer connection to the host.
type guest struct {
	*room
	peer *peer
}

func visit(wanted options) (*guest, error) {
	joined, err := join(wanted.server, wanted.room, "pion")
	if err != nil {
		return nil, err
	}
	if joined.host == joined.id {
		return nil, errors.New("nobody is there to offer to")
	}
	made, err := newPeer(wanted.lite,
		func(data object) error { return joined.signal(joined.host, data) })
	if err != nil {
		return nil, err
	}
	go joined.follow(func(got message) {
		if got.Type != "signal" || got.From != joined.host {
			return // other guests are none of our business
		}
		if err := made.onSignal(got.Data); err != nil {
			say("signal refused: %v", err)
		}
	})
	return &guest{joined, made}, nil
}

func (g *guest) leave() {
	_ = g.peer.Close()
	g.room.leave()
}

// offer connects all guests, some at a time, and stays with them.
func offer(wanted options) error {
	places := make(chan struct{}, inFlight)
	done := make(chan error, wanted.count)
	guests := make([]*guest, wanted.count)
	for index := range guests {
		places <- struct{}{}
		go func(index int) {
			var err error
			if guests[index], err = visit(wanted); err == nil {
				err = work(guests[index].peer, wanted)
			}
			<-places
			done <- err
		}(index)
	}
	for range guests {
		if err := <-done; err != nil {
			return err
		}
	}
	say("ready %d", wanted.count)
	awaitEndOfInput()
	for _, one := range guests {
		one.leave()
	}
	return nil
}

func work(connection *peer, wanted options) error {
	opened, err := connection.open(wanted.label)
	if err != nil {
		return err
	}
	if err := connection.offer(); err != nil {
		return err
	}
	if err := opened.awaitOpen(); err != nil {
		return err
	}
	return hello(opened)
}

func hello(opened *channel) error {
	if err := opened.SendText("hello from pion"); err != nil {
		return err
	}
	received, ok := opened.receive()
	if !ok {
		return fmt.Errorf("%s closed before a message came", opened.Label())
	}
	say("received %s", received.Data)
	return nil
}
