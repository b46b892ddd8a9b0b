// What a negotiated session is made of: a list of m-sections, and the parameters of the one
// transport that they share (RFC 9429 5, RFC 9143).
#pragma once

#include "crypto/identity.hpp"
#include "ice/agent.hpp"
#include "sdp/description.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace asiortc::peer {

enum class media_direction { sendrecv, sendonly, recvonly, inactive };

/// RFC 8841 5.1: "If the SDP 'sctp-port' attribute is not present", 5000 is what WebRTC uses.
inline constexpr std::uint16_t default_sctp_port = 5000;

/// RFC 8841 6.1: "If the SDP 'max-message-size' attribute is not present, the default value is
/// 64K."
inline constexpr std::uint64_t default_max_message_size = 65536;

struct m_section {
  std::string kind;  ///< "application", "audio", …
  media_direction direction = media_direction::inactive;
  bool stopped = false;
  std::optional<std::string> mid;
  std::string protocol;
  std::string formats;
  bool bundled = false;
  /// The payload descriptions of an audio or video section, echoed where it is answered inactive.
  std::vector<sdp::attribute> codecs;

  [[nodiscard]] bool is_live_data() const { return kind == "application" && !stopped; }
};

/// The attributes of the m-section that speaks for the transport.
struct transport_parameters {
  ice::credentials credentials;
  bool lite = false;
  std::vector<crypto::fingerprint> fingerprints;
  sdp::setup_role setup = sdp::setup_role::actpass;
  std::optional<std::string> tls_id;
};

struct sctp_parameters {
  std::uint16_t port = default_sctp_port;
  std::uint64_t max_message_size = default_max_message_size;  ///< 0 is no limit (RFC 8841 6.1)
};

/// A description of ours, without the candidates: those are added when it is written out.
struct local_session {
  sdp::description description;
  std::vector<m_section> sections;
  std::optional<std::size_t> data;  ///< the live data section
  std::size_t tag = 0;              ///< with `data`: the section that speaks for the transport
  ice::credentials credentials;
  std::size_t candidates_included = 0;  ///< what its text told when it was created
  bool end_included = false;
};

/// A description of the other side, understood.
struct remote_session {
  sdp::description description;  ///< as given; trickled candidates are added to it
  std::vector<m_section> sections;
  bool trickle = false;
  std::optional<std::size_t> data;  ///< the data section that we take part in
  std::size_t tag = 0;              ///< with `data`: the section that speaks for the transport
  transport_parameters transport;
  sctp_parameters sctp;
  std::vector<ice::candidate> candidates;
  bool candidates_ended = false;

  /// Whether candidates of that section are candidates of the transport.
  [[nodiscard]] bool carries(std::size_t index) const {
    return data &&
           (index == tag || index == *data || (sections[tag].bundled && sections[index].bundled));
  }
};

}  // namespace asiortc::peer
