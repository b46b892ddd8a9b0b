package main

import "github.com/pion/webrtc"

// echoAll lets whoever comes to the room connect, and echoes what comes on each channel.
func echoAll(wanted options) error {
	joined, err := join(wanted.server, wanted.room, "pion")
	if err != nil {
		return err
	}
	say("joined")
	go joined.follow(welcome(joined, wanted.lite))
	awaitEndOfInput()
	joined.leave()
	return nil
}

// welcome keeps a peer connection for each other member.
func welcome(joined *room, lite bool) func(message) {
	peers := map[int]*peer{}
	return func(got message) {
		var err error
		switch got.Type {
		case "peer-joined":
			peers[got.ID], err = newEcho(joined, got.ID, lite)
		case "peer-left":
			err = peers[got.ID].Close()
			delete(peers, got.ID)
		case "signal":
			err = peers[got.From].onSignal(got.Data)
		}
		if err != nil {
			say("%s refused: %v", got.Type, err)
		}
	}
}

func newEcho(joined *room, id int, lite bool) (*peer, error) {
	made, err := newPeer(lite, func(data object) error { return joined.signal(id, data) })
	if err != nil {
		return nil, err
	}
	made.OnDataChannel(func(inner *webrtc.DataChannel) { go echo(watch(inner)) })
	return made, nil
}

func echo(opened *channel) {
	if err := opened.awaitOpen(); err != nil {
		return
	}
	say("open %s", opened.Label())
	for {
		received, ok := opened.receive()
		if !ok {
			break
		}
		if err := opened.send(received); err != nil {
			say("ended %s: %v", opened.Label(), err)
			return
		}
	}
	say("closed %s", opened.Label())
}
