import joblib
model = joblib.load('x')
