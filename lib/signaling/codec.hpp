// The messages of `asiortc.v1` to JSON and back.
#pragma once

#include "signaling/messages.hpp"

#include <string>
#include <string_view>

namespace asiortc::signaling {

/// What a server reads. The complaint is for its sender.
decoded<client_message> decode_client_message(std::string_view text);
/// What a client reads. An unknown type is `unknown_message`, so that servers may learn new words.
decoded<server_message> decode_server_message(std::string_view text);

std::string encode(const client_message& message);
std::string encode(const server_message& message);

/// 1 to 64 of `A-Z a-z 0-9 . _ -`.
bool is_room_name(std::string_view text);

}  // namespace asiortc::signaling
