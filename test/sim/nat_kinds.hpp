// The kinds of NAT (RFC 4787) and of IPv6 firewall that peers stand behind, every two of them that
// meet, and what RFC 8445 lets come of it. Those of test/netns, in virtual time, but for two that
// differ there by what they let through of TCP and TLS alone: a stream is a stream here, and
// ICE-TCP is none of the virtual network's. One kind more is here, which maps and filters by
// address.
#pragma once

#include "support/virtual_nat.hpp"

#include <string>
#include <vector>

namespace asiortc::test {

struct nat_kind {
  std::string name;
  bool v6 = false;
  bool router = true;  ///< without one, the host itself has a public address
  nat_behaviour behaviour;
};

/// All of them.
const std::vector<nat_kind>& nat_kinds();

struct matrix_cell {
  const nat_kind* offerer = nullptr;  ///< controls
  const nat_kind* answerer = nullptr;
  bool direct = false;  ///< otherwise relayed

  [[nodiscard]] std::string name() const;
};

/// Every ordered pair within a family, and some across.
const std::vector<matrix_cell>& matrix_cells();

}  // namespace asiortc::test
