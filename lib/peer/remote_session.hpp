// Reads a description of the other side: policy on top of sdp's syntax.
#pragma once

#include "base/result.hpp"
#include "peer/session.hpp"

#include <asiortc/session_description.hpp>

#include <string_view>

namespace asiortc::peer {

/// Understands an offer, answer or pranswer. What is malformed or missing is `syntax_error`, what
/// is well-formed and beyond us `not_supported`; the detail names the m-section and attribute.
base::result<remote_session> read_remote_session(sdp_type type, std::string_view text);

/// Whether the m-section is SCTP over DTLS in a form that we speak (RFC 8841 4).
bool is_data_section(const sdp::media& media);

}  // namespace asiortc::peer
