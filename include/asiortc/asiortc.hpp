// Everything of asiortc but the signaling server.
#pragma once

#include <asiortc/candidate_pair.hpp>
#include <asiortc/certificate.hpp>
#include <asiortc/channel_stream.hpp>
#include <asiortc/configuration.hpp>
#include <asiortc/data_channel.hpp>
#include <asiortc/error.hpp>
#include <asiortc/event_stream.hpp>
#include <asiortc/ice_candidate.hpp>
#include <asiortc/json_options.hpp>
#include <asiortc/mesh.hpp>
#include <asiortc/message.hpp>
#include <asiortc/name_resolver.hpp>
#include <asiortc/nat_behaviour.hpp>
#include <asiortc/negotiate.hpp>
#include <asiortc/peer_connection.hpp>
#include <asiortc/room_mesh.hpp>
#include <asiortc/session_description.hpp>
#include <asiortc/signaling_client.hpp>
#include <asiortc/signaling_pipe.hpp>
#include <asiortc/states.hpp>
#include <asiortc/stats.hpp>
#include <asiortc/stun_probe.hpp>
#include <asiortc/turn_rest_credentials.hpp>
#include <asiortc/udp_mux.hpp>
