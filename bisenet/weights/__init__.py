"""Files of weights, ours and others', to a model and back."""
