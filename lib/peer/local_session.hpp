// Writes our own offers and answers (RFC 9429 5.2 and 5.3).
#pragma once

#include "peer/session.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace asiortc::peer {

/// What goes into every description that we write.
struct local_facts {
  std::uint64_t session_id = 0;
  std::uint64_t session_version = 0;
  ice::credentials credentials;
  std::string fingerprint;
  std::uint64_t max_message_size = 0;
  bool lite = false;
};

/// The local candidates of one generation, in the order in which they were gathered.
struct local_generation {
  std::string ufrag;
  std::vector<std::string> candidates;
  bool complete = false;
  std::size_t told = 0;  ///< how many of them the other side has, by event or in a description
  bool end_told = false;
};

/// The m-sections of the next offer: what was negotiated, and a data section if one is wanted and
/// there is none.
std::vector<m_section> plan_offer(const std::vector<m_section>& negotiated, bool data_wanted);

/// The m-sections of the answer to an offer: its data section, the section that speaks for its
/// transport, and the others rejected.
std::vector<m_section> plan_answer(const remote_session& offer);

/// A description of these sections; `setup` is what it says of the DTLS role. The section `tag`,
/// if it is given and bundled, leads the BUNDLE group; else the first one does.
local_session write_session(const local_facts& facts, std::vector<m_section> sections,
                            sdp::setup_role setup, std::optional<std::size_t> tag = {});

/// The text, with the candidates that are known.
std::string to_text(const local_session& session, const local_generation* candidates);

}  // namespace asiortc::peer
