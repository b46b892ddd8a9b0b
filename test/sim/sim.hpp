// What the simulations share.
#pragma once

#include "support/virtual_pair.hpp"

namespace asiortc::test {

/// The network that this run was asked for.
pair_options& sim_options();

}  // namespace asiortc::test
