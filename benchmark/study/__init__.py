"""What is to be trained: studies, arms, presets, protocols, trials and their grid."""
