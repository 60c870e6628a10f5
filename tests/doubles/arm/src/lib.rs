//! A double of Azure Resource Manager, for tests only.
