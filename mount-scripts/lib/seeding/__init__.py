# SPDX-License-Identifier: Apache-2.0
"""Seeds the two metastores that BergFS mounts with the same set of tables."""
